"""The blocking client against an agent on a real socket that answers, answers wrongly, is slow, or is down."""

import contextlib
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

import lars
from lars.client import AgentUnavailable, Host, LarsClient, NoSuchModule, Overloaded
from lars.client.socket_pool import MAX_SOCKETS
from lars.errors import InvalidRoute, SettingsError
from lars.route import ModuleId, parse_host
from lars.wire.lars_pb2 import GetHostRequest, GetRouteRequest, ReportRequest
from lars.wire.messages import Retcode
from tests.unit.client.responder import (
    HOST,
    OTHER,
    WAIT,
    Answer,
    Responder,
    host_answer,
    route_answer,
    serving,
    silent,
)

SHORT = 0.1
"""A timeout for calls that are to time out."""

GARBAGE = [b"", b"\0", b"\xff" * 8, b"\x05\0\0\0\x04\0\0\0\xff\xff\xff\xff", b"x" * 2000]

THREADS = 1000

FIRST_SHARD = (0, 3)
"""A module of the responder's own port."""


def refusing(retcode: Retcode) -> Answer:
    return lambda request: [host_answer(request, None, retcode=retcode)]


def open_sockets() -> int:
    links = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            links.append(os.readlink(f"/proc/self/fd/{name}"))
    return sum(link.startswith("socket:") for link in links)


class ClientTestCase(SynchronousTestCase):
    """Starts responders and clients, and ends them."""

    def setUp(self) -> None:
        self.resources = contextlib.ExitStack()
        self.addCleanup(self.resources.close)

    def responder(self, answer: Answer, port: int = 0) -> Responder:
        return self.resources.enter_context(Responder(answer, port))

    def client(self, agent: tuple[str, int], timeout: float = WAIT) -> LarsClient:
        """A client without a cache."""
        return self.resources.enter_context(LarsClient(agent, timeout, cache=False, state_dir=""))

    def unused_port(self) -> int:
        with Responder(silent) as gone:
            return gone.port


class AnswerTests(ClientTestCase):
    def test_host_that_the_agent_chose_is_returned(self) -> None:
        client = self.client(self.responder(serving(HOST)).agent)
        self.assertEqual(client.get_host(*FIRST_SHARD), Host(ModuleId(*FIRST_SHARD), parse_host(HOST)))

    def test_route_is_all_hosts_or_none(self) -> None:
        responder = self.responder(serving(HOST, OTHER))
        client = self.client(responder.agent)
        self.assertEqual(list(map(str, client.get_route(*FIRST_SHARD))), [HOST, OTHER])
        responder.answer = serving()
        self.assertEqual(client.get_route(*FIRST_SHARD), [])

    def test_each_module_is_asked_for_at_its_shard(self) -> None:
        base, responders = self.three_shards()
        client = self.client(("127.0.0.1", base))
        for module in ((0, 3), (1, 3), (1, 1)):
            client.get_host(*module)
            asked = responders[sum(module) % 3].next()
            self.assertEqual((asked.modid, asked.cmdid), module)

    def three_shards(self) -> tuple[int, list[Responder]]:
        for _attempt in range(100):
            first = self.responder(serving(HOST))
            with contextlib.suppress(OSError, OverflowError):
                return first.port, [first, *(self.responder(serving(HOST), first.port + n) for n in (1, 2))]
        raise AssertionError("no three free ports in a row")

    def test_refusals_are_errors(self) -> None:
        for retcode, error in ((Retcode.NOEXIST, NoSuchModule), (Retcode.OVERLOAD, Overloaded)):
            responder = self.responder(refusing(retcode))
            self.assertRaises(error, self.client(responder.agent).get_host, *FIRST_SHARD)

    def test_garbage_and_answers_to_others_are_passed_over(self) -> None:
        def answer(request: GetHostRequest) -> Iterable[bytes]:
            yield from GARBAGE
            yield host_answer(request, OTHER, seq=(request.seq + 1) % 2**32)
            yield host_answer(request, OTHER, modid=9)
            yield host_answer(request, None, cmdid=9, retcode=Retcode.NOEXIST)
            yield host_answer(request, HOST)

        client = self.client(self.responder(answer).agent)
        for _ in range(3):
            self.assertEqual(str(client.get_host(*FIRST_SHARD)), HOST)

    def test_late_answer_is_not_taken_for_that_of_a_later_query(self) -> None:
        late: list[bytes] = []

        def answer(request: GetHostRequest) -> Iterable[bytes]:
            if len(late) < 2:  # the question, and the same once more
                late.append(host_answer(request, OTHER))
                return []
            return [*late, host_answer(request, HOST)]

        client = self.client(self.responder(answer).agent, SHORT)
        self.assertRaises(AgentUnavailable, client.get_host, *FIRST_SHARD)
        self.assertEqual(str(client.get_host(*FIRST_SHARD)), HOST)

    def test_second_answer_to_get_route_is_not_taken_for_that_of_a_later_one(self) -> None:
        responder = self.responder(lambda request: [route_answer(request, OTHER), route_answer(request, OTHER)])
        client = self.client(responder.agent)
        self.assertEqual(list(map(str, client.get_route(*FIRST_SHARD))), [OTHER])
        responder.next()
        responder.answer = serving(HOST)
        self.assertEqual(list(map(str, client.get_route(*FIRST_SHARD))), [HOST])

    def test_lost_query_is_sent_once_more(self) -> None:
        seen: list[GetHostRequest] = []

        def answer(request: GetHostRequest) -> Iterable[bytes]:
            seen.append(request)
            return [] if len(seen) == 1 else [host_answer(request, HOST)]

        client = self.client(self.responder(answer).agent, timeout=2 * SHORT)
        self.assertEqual(str(client.get_host(*FIRST_SHARD)), HOST)
        self.assertEqual(seen[0], seen[1])


class SilenceTests(ClientTestCase):
    def test_unanswered_query_is_sent_twice_and_ends_in_time(self) -> None:
        responder = self.responder(silent)
        client = self.client(responder.agent, SHORT)
        began = time.monotonic()
        with self.assertRaisesRegex(AgentUnavailable, rf"no answer from the agent at 127\.0\.0\.1:{responder.port} "):
            client.get_host(*FIRST_SHARD)
        took = time.monotonic() - began
        self.assertTrue(SHORT <= took < SHORT + 2, took)
        self.assertEqual(responder.next(), responder.next())
        self.assertTrue(responder.none_is_left())

    def test_flood_of_wrong_answers_makes_no_call_longer(self) -> None:
        over = threading.Event()
        self.addCleanup(over.set)

        def flood(request: GetHostRequest) -> Iterator[bytes]:
            while not over.is_set():
                yield host_answer(request, HOST, modid=9)

        client = self.client(self.responder(flood).agent, SHORT)
        began = time.monotonic()
        self.assertRaises(AgentUnavailable, client.get_host, *FIRST_SHARD)
        over.set()
        self.assertLess(time.monotonic() - began, SHORT + 2)

    def test_refused_connection_is_an_error_at_once(self) -> None:
        port = self.unused_port()
        began = time.monotonic()
        with self.assertRaisesRegex(
            AgentUnavailable, rf"127\.0\.0\.1:{port} cannot be reached \(Connection refused\): start lars-agent"
        ):
            self.client(("127.0.0.1", port)).get_host(*FIRST_SHARD)
        self.assertLess(time.monotonic() - began, 2)

    def test_agent_that_is_back_answers_though_a_report_was_refused_before(self) -> None:
        port = self.unused_port()
        client = self.client(("127.0.0.1", port))
        client.report(Host(ModuleId(*FIRST_SHARD), parse_host(HOST)))
        self.responder(serving(HOST), port)
        self.assertEqual(str(client.get_host(*FIRST_SHARD)), HOST)

    def test_report_after_a_refused_one_is_sent(self) -> None:
        port = self.unused_port()
        client = self.client(("127.0.0.1", port))
        client.report(Host(ModuleId(*FIRST_SHARD), parse_host(HOST)))
        responder = self.responder(silent, port)
        client.report(Host(ModuleId(*FIRST_SHARD), parse_host(OTHER)))
        self.assertEqual(responder.next().host.port, 8081)


class RegisterTests(ClientTestCase):
    def test_register_waits_until_the_agent_has_pulled_the_route(self) -> None:
        seen: list[GetRouteRequest] = []

        def answer(request: GetRouteRequest) -> Iterable[bytes]:
            seen.append(request)
            return [route_answer(request, HOST) if len(seen) == 3 else route_answer(request)]

        self.client(self.responder(answer).agent).register(*FIRST_SHARD, timeout=WAIT)
        self.assertEqual(len(seen), 3)

    def test_register_waits_for_an_agent_that_does_not_answer_yet(self) -> None:
        seen: list[GetRouteRequest] = []

        def answer(request: GetRouteRequest) -> Iterable[bytes]:
            seen.append(request)
            return [route_answer(request, HOST)] if len(seen) > 2 else []

        self.client(self.responder(answer).agent, SHORT).register(*FIRST_SHARD, timeout=WAIT)

    def test_module_that_stays_without_hosts_does_not_exist(self) -> None:
        client = self.client(self.responder(serving()).agent)
        with self.assertRaisesRegex(NoSuchModule, r"module \(0, 3\) has no hosts"):
            client.register(*FIRST_SHARD, timeout=SHORT)

    def test_agent_that_stays_silent_is_unavailable(self) -> None:
        client = self.client(self.responder(silent).agent, SHORT)
        self.assertRaises(AgentUnavailable, client.register, *FIRST_SHARD, timeout=SHORT)


class CallTests(ClientTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.agent = self.responder(serving(HOST))
        self.caller = self.client(self.agent.agent)

    def reported(self) -> ReportRequest:
        self.assertIsInstance(self.agent.next(), GetHostRequest)
        report = self.agent.next()
        assert isinstance(report, ReportRequest)
        return report

    def test_call_that_succeeds_is_reported_with_its_time(self) -> None:
        with self.caller.call(*FIRST_SHARD) as host:
            self.assertEqual(str(host), HOST)
            until = time.monotonic() + 0.002
            while time.monotonic() < until:
                pass
        report = self.reported()
        self.assertEqual((report.retcode, report.modid, report.cmdid, report.host.port), (0, 0, 3, 8080))
        self.assertGreaterEqual(report.cost_ms, 2)

    def test_call_that_raises_is_reported_as_failed_and_raises_on(self) -> None:
        with self.assertRaisesRegex(ValueError, "the call"), self.caller.call(*FIRST_SHARD):
            raise ValueError("the call")
        self.assertEqual(self.reported().retcode, 1)

    def test_interrupted_call_reports_nothing(self) -> None:
        def interrupted() -> None:
            with self.caller.call(*FIRST_SHARD):
                raise KeyboardInterrupt

        self.assertRaises(KeyboardInterrupt, interrupted)
        self.assertIsInstance(self.agent.next(), GetHostRequest)
        self.caller.get_host(*FIRST_SHARD)
        self.assertIsInstance(self.agent.next(), GetHostRequest)

    def test_report_that_cannot_be_sent_does_not_hide_what_the_call_raised(self) -> None:
        with self.assertRaisesRegex(ValueError, "the call"), self.caller.call(*FIRST_SHARD):
            self.caller.close()
            raise ValueError("the call")

    def test_without_a_host_there_is_no_call(self) -> None:
        self.agent.answer = refusing(Retcode.OVERLOAD)
        with self.assertRaises(Overloaded), self.caller.call(*FIRST_SHARD):
            self.fail("called without a host")


class UseTests(ClientTestCase):
    def test_ids_that_no_module_can_have_are_refused(self) -> None:
        client = self.client(("127.0.0.1", 1))
        calls = (client.get_host, client.get_route, client.register)
        for call in calls:
            for modid, cmdid in ((-1, 1), (1, -1), (2**31, 1), (0, 0)):
                self.assertRaises(InvalidRoute, call, modid, cmdid)

    def test_timeout_that_cannot_be_used_is_refused(self) -> None:
        for timeout in (0, -1, float("nan"), float("inf")):
            self.assertRaises(SettingsError, LarsClient, timeout=timeout)

    def test_threads_share_a_client_without_getting_each_others_answers(self) -> None:
        def answer(request: GetHostRequest) -> Iterable[bytes]:
            return [host_answer(request, f"10.0.0.1:{request.modid}")]

        client = self.client(self.responder(answer).agent)
        wrong: list[Any] = []

        def ask(modid: int) -> None:
            hosts = [client.get_host(modid, 3) for _ in range(200)]
            wrong.extend(host for host in hosts if host.port != modid)

        threads = [threading.Thread(target=ask, args=(modid,)) for modid in (3, 6, 9, 12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT)
        self.assertEqual(wrong, [])

    def test_thousand_threads_share_a_bounded_number_of_sockets(self) -> None:
        client = self.client(self.responder(serving(HOST)).agent)
        before = open_sockets()
        wrong: list[BaseException] = []
        ready = threading.Barrier(THREADS)

        def ask() -> None:
            try:
                ready.wait(WAIT)
                for _ in range(3):
                    client.report(client.get_host(*FIRST_SHARD))
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=ask) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT)
        self.assertEqual(wrong, [])
        self.assertLessEqual(open_sockets() - before, MAX_SOCKETS + 1)

    def test_thread_that_gets_no_socket_waits_no_longer_than_its_timeout(self) -> None:
        client = self.client(self.responder(silent).agent, SHORT)
        errors: list[tuple[float, str]] = []

        def ask() -> None:
            began = time.monotonic()
            try:
                client.get_host(*FIRST_SHARD)
            except AgentUnavailable as error:
                errors.append((time.monotonic() - began, str(error)))

        threads = [threading.Thread(target=ask) for _ in range(2 * MAX_SOCKETS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT)
        self.assertEqual(len(errors), 2 * MAX_SOCKETS)
        self.assertLess(max(took for took, _text in errors), SHORT + 2)

    def test_close_closes_all_sockets_and_refuses_further_calls(self) -> None:
        client = self.client(self.responder(serving(HOST)).agent)
        before = open_sockets()
        host = client.get_host(*FIRST_SHARD)
        client.report(host)
        self.assertEqual(open_sockets(), before + 2)
        client.close()
        self.assertEqual(open_sockets(), before)
        for call in (client.get_host, client.get_route, client.register):
            with self.assertRaisesRegex(AgentUnavailable, "this LarsClient is closed"):
                call(*FIRST_SHARD)
        with self.assertRaisesRegex(AgentUnavailable, "this LarsClient is closed"):
            client.report(host)

    def test_pending_query_when_the_client_is_closed_ends_in_time_and_leaves_no_socket(self) -> None:
        responder = self.responder(silent)
        client = self.client(responder.agent, SHORT)
        before = open_sockets()
        errors: list[str] = []

        def ask() -> None:
            try:
                client.get_host(*FIRST_SHARD)
            except AgentUnavailable as error:
                errors.append(str(error))

        thread = threading.Thread(target=ask)
        thread.start()
        responder.next()
        client.close()
        thread.join(WAIT)
        self.assertEqual(errors, ["this LarsClient is closed: make a new one"])
        self.assertEqual(open_sockets(), before)


class ProcessTests(ClientTestCase):
    def python(self, *arguments: str) -> str:
        """What a Python program of its own prints; every warning in it is an error."""
        root = Path(lars.__file__).parent.parent
        program = textwrap.dedent(arguments[0])
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", program, *arguments[1:]],
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_forked_processes_do_not_take_each_others_answers(self) -> None:
        def answer(request: GetHostRequest) -> Iterable[bytes]:
            return [host_answer(request, f"10.0.0.1:{request.modid}")]

        program = """
            import os, sys
            from lars.client import LarsClient
            client = LarsClient(sys.argv[1], timeout=20)
            client.get_host(3, 3)
            child = os.fork()
            modid = 6 if child else 9
            ports = {client.get_host(modid, 3).port for _ in range(300)}
            if not child:
                os._exit(ports != {9})
            print(ports, os.waitpid(child, 0)[1])
        """
        port = self.responder(answer).port
        self.assertEqual(self.python(program, f"127.0.0.1:{port}").strip(), "{6} 0")

    def test_client_needs_no_twisted_and_leaves_nothing_open(self) -> None:
        program = """
            import sys
            from lars.client import LarsClient
            client = LarsClient(sys.argv[1])
            print(client.get_host(0, 3), any(name.startswith("twisted") for name in sys.modules))
        """
        port = self.responder(serving(HOST)).port
        self.assertEqual(self.python(program, f"127.0.0.1:{port}").strip(), f"{HOST} False")
