"""The clients' core with a shard of the real agent: what it chooses from its cache, and what it sends when."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.client import AgentUnavailable, NoSuchModule, Overloaded
from lars.client.address import AgentAddress
from lars.client.core import Core
from lars.client.host import Host
from lars.client.shard_state import UNSUPPORTED_TTL
from lars.errors import SettingsError
from lars.route import HostAddress, parse_host
from lars.wire.lars_pb2 import ReportBatch
from lars.wire.messages import MessageId, encode_message
from tests.unit.client.shard_agent import MODULE, Caller, ShardAgent

A, B, C = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3))
TTL = 2.0


def caller(*hosts: HostAddress, cache_ttl: float = TTL, plain: bool = False, policy: str = "adaptive") -> Caller:
    """A client of an agent; its first call, for which the agent chose the host, has ended."""
    lars = Caller(ShardAgent(*hosts, plain=plain, policy=policy), cache_ttl)
    if hosts:
        lars.report(lars.get_host())
    lars.agent.forget()
    return lars


class ChoiceTests(SynchronousTestCase):
    def test_within_the_ttl_of_a_route_without_overload_no_call_reaches_the_agent(self) -> None:
        lars = caller(A, B, C)
        lars.get_host()
        before = len(lars.agent.received)
        chosen = Counter(lars.get_host().address for _ in range(300))
        self.assertEqual(chosen, {A: 100, B: 100, C: 100})
        self.assertEqual(len(lars.agent.received), before)

    def test_after_the_ttl_the_state_is_asked_for_again_and_a_same_one_goes_on(self) -> None:
        lars = caller(A, B)
        lars.get_host()
        lars.agent.now += TTL
        lars.agent.received.clear()
        for _ in range(10):
            lars.get_host()
        asked = [MessageId.REPORT_BATCH, MessageId.ROUTE_STATE_REQUEST, MessageId.GET_HOST_REQUEST]
        self.assertEqual(lars.agent.received, asked)

    def test_changed_route_is_used_after_the_ttl_at_the_latest(self) -> None:
        lars = caller(A)
        lars.get_host()
        lars.agent.take_route(B, C)
        lars.agent.now += TTL
        self.assertEqual({lars.get_host().address for _ in range(10)}, {B, C})

    def test_choosing_goes_on_while_hosts_are_ejected(self) -> None:
        for policy in ("adaptive", "round_robin", "consistent_hash", "classic"):
            lars = caller(A, B, C, policy=policy)
            for _ in range(60):
                lars.report(Host(MODULE, A), 1)
            lars.report(lars.get_host())
            self.assertEqual(lars.agent.overloaded, 1, policy)
            lars.agent.received.clear()
            chosen = self.second_of(lars, 500)
            self.assertEqual(set(chosen), {B, C}, policy)
            self.assertLess(lars.agent.received.count(MessageId.GET_HOST_REQUEST), 2, policy)

    def second_of(self, lars: Caller, calls: int) -> Counter[HostAddress]:
        """The hosts of so many calls in a second, all of which succeed."""
        chosen: Counter[HostAddress] = Counter()
        for _ in range(calls):
            host = lars.get_host()
            chosen[host.address] += 1
            lars.report(host)
            lars.agent.now += 1 / calls
        return chosen

    def test_ejection_that_others_caused_is_seen_after_the_ttl(self) -> None:
        for policy in ("adaptive", "classic"):
            lars = caller(A, B, C, policy=policy)
            other = Caller(lars.agent, cache_ttl=0)
            for _ in range(60):
                other.report(Host(MODULE, A), 1)
            self.assertEqual(lars.agent.overloaded, 1)
            lars.agent.now += TTL
            lars.report(lars.get_host())
            lars.picks = 0
            self.assertEqual(set(self.second_of(lars, 200)), {B, C}, policy)
            self.assertEqual(lars.picks, 200)

    def test_host_that_is_back_is_probed_by_the_agent_and_has_its_share_soon(self) -> None:
        for policy in ("adaptive", "round_robin"):
            lars = caller(A, B, C, policy=policy)
            while not lars.agent.overloaded:
                lars.report(Host(MODULE, A), 1)
            seconds = 0
            while self.second_of(lars, 300)[A] < 90:
                lars.agent.sweep()
                seconds += 1
            self.assertLess(seconds, 15, policy)

    def test_host_that_fails_here_alone_is_left_alone_and_tried_again(self) -> None:
        lars = caller(A, B, C)
        other = Caller(lars.agent, cache_ttl=0)
        for _ in range(30):  # the agent sees a healthy host
            other.report(Host(MODULE, A))
        seconds = []
        for _ in range(20):
            seconds.append(0)
            for _ in range(200):
                host = lars.get_host()
                for _ in range(9 if host.address == A else 0):
                    other.report(host)
                lars.report(host, int(host.address == A))
                seconds[-1] += host.address == A
                lars.agent.now += 0.005
            lars.agent.sweep()
        self.assertEqual(lars.agent.overloaded, 0)
        self.assertLess(sum(seconds), 20)
        self.assertGreater(sum(seconds[5:]), 0)

    def test_after_a_failure_an_agent_that_ejects_alone_is_asked_next(self) -> None:
        lars = caller(A, B, policy="classic")
        lars.report(lars.get_host(), 1)
        lars.picks = 0
        lars.get_host()
        self.assertEqual(lars.picks, 0)
        lars.get_host()
        self.assertEqual(lars.picks, 1)

    def test_state_asked_for_before_a_failure_is_not_believed_after_it(self) -> None:
        lars = Caller(ShardAgent(A, B))
        query = lars.core.query(lars.cached, 7, 0, lars.agent.now)
        answers = [lars.agent.receive(datagram) for datagram in query.datagrams]
        lars.report(Caller(lars.agent).get_host(), 1)
        self.assertIsNone(query.answer(answers[0] or b""))
        self.assertIsNotNone(query.answer(answers[1] or b""))
        self.assertEqual(lars.cached.until, 0.0)

    def test_module_without_hosts_is_asked_for_each_time(self) -> None:
        lars = caller()
        self.assertTrue(lars.refused())
        self.assertTrue(lars.refused())
        self.assertEqual(lars.picks, 0)

    def test_without_a_cache_nothing_new_is_sent(self) -> None:
        lars = caller(A, B, cache_ttl=0)
        for retcode in (0, 0, 1):
            lars.report(lars.get_host(), retcode)
        self.assertEqual(set(lars.agent.received), {MessageId.GET_HOST_REQUEST, MessageId.REPORT_REQUEST})
        self.assertEqual(lars.picks, 0)

    def test_agent_without_route_states_is_asked_for_none_for_a_minute(self) -> None:
        lars = Caller(ShardAgent(A, B, plain=True))
        for _ in range(30):
            lars.report(lars.get_host())
            lars.agent.now += (UNSUPPORTED_TTL - 1) / 30
        self.assertEqual(lars.picks, 0)
        self.assertEqual(lars.agent.received.count(MessageId.ROUTE_STATE_REQUEST), 1)
        self.assertNotIn(MessageId.REPORT_BATCH, lars.agent.received)
        lars.agent.now += 1
        lars.agent.plain = False
        lars.get_host()
        lars.get_host()
        self.assertEqual(lars.picks, 1)

    def test_settings_that_cannot_be_used_are_refused(self) -> None:
        for timeout, ttl in ((0.2, -1.0), (0.2, float("nan")), (0.2, 1e9), (0.0, 2.0)):
            self.assertRaises(SettingsError, Core, AgentAddress("127.0.0.1", 1), timeout, ttl, "")


class ResultTests(SynchronousTestCase):
    def test_successes_go_out_with_the_next_call_past_the_ttl_and_before_the_state_is_asked_for(self) -> None:
        lars = caller(A)
        host = lars.get_host()
        for _ in range(5):
            lars.report(host)
        self.assertEqual(lars.agent.results, [(Counter(), None)])
        lars.agent.now += TTL
        lars.agent.received.clear()
        lars.get_host()
        self.assertEqual(lars.agent.results, [(Counter({A: 5}), None)])
        self.assertEqual(lars.agent.received[:2], [MessageId.REPORT_BATCH, MessageId.ROUTE_STATE_REQUEST])

    def test_call_for_another_module_sends_them_too(self) -> None:
        lars = caller(A)
        host = lars.get_host()
        lars.report(host)
        lars.agent.now += TTL
        lars.core.query(lars.core.cached(0, 6), 1, 0, lars.agent.now)
        self.assertEqual(lars.agent.results, [(Counter({A: 1}), None)])

    def test_report_past_the_ttl_goes_out_at_once_after_those_before_it(self) -> None:
        lars = caller(A)
        host = lars.get_host()
        lars.report(host)
        lars.agent.now += TTL
        lars.report(host)
        self.assertEqual(lars.agent.results, [(Counter({A: 2}), None)])

    def test_failure_goes_out_at_once_after_those_before_it(self) -> None:
        lars = caller(A, B)
        first, second = lars.get_host(), lars.get_host()
        for host in (first, second, second):
            lars.report(host)
        lars.report(first, 1)
        lars.core.close()
        self.assertEqual(lars.agent.results[0][0], Counter({first.address: 1}) + Counter({second.address: 2}))
        self.assertEqual(lars.agent.results[1], (Counter(), first.address))

    def test_closed_client_has_sent_everything_and_chooses_no_more(self) -> None:
        lars = caller(A)
        lars.report(lars.get_host())
        lars.core.close()
        self.assertEqual(lars.agent.results, [(Counter({A: 1}), None)])
        self.assertRaises(AgentUnavailable, lars.core.report, Host(MODULE, A), 0, None, 1.0)

    def test_child_of_a_fork_sends_nothing_that_is_its_parents(self) -> None:
        lars = caller(A)
        lars.report(lars.get_host())
        lars.core.forked()
        lars.core.flush()
        self.assertEqual(lars.agent.results, [(Counter(), None)])

    def test_more_successes_than_a_datagram_holds_hosts_go_in_several(self) -> None:
        hosts = [HostAddress((10 << 24) + n, 80) for n in range(1, 4001)]
        lars = caller(*hosts, policy="round_robin")
        lars.get_host()
        for _ in range(8000):
            lars.report(lars.get_host())
        lars.core.flush()
        self.assertEqual(lars.agent.results, [(Counter(dict.fromkeys(hosts, 2)), None)])
        self.assertEqual(lars.agent.received.count(MessageId.REPORT_BATCH), 3)

    @given(
        st.sampled_from(["classic", "adaptive", "round_robin", "consistent_hash"]),
        st.lists(
            st.one_of(
                st.tuples(st.just("call"), st.integers(1, 40), st.sampled_from([0, 0, 0, 1])),
                st.tuples(st.just("time"), st.floats(0, 3), st.none()),
                st.tuples(st.just("sweep"), st.floats(0, 16), st.none()),
                st.tuples(st.just("route"), st.lists(st.sampled_from([A, B, C]), unique=True), st.none()),
                st.tuples(st.just("other"), st.integers(1, 40), st.none()),
                st.tuples(st.just("flush"), st.none(), st.none()),
            ),
            max_size=40,
        ),
    )
    @settings(max_examples=300, deadline=None)
    def test_agent_sees_every_result_in_order_and_no_ejected_host_is_chosen_after_the_ttl(
        self,
        policy: str,
        steps: list,  # type: ignore[type-arg]
    ) -> None:
        lars = Caller(ShardAgent(A, B, policy=policy), TTL)
        expected = ShardAgent(A, B)
        ejected_at: dict[HostAddress, float] = {}
        for step, value, retcode in steps:
            if step == "call":
                for _ in range(value):
                    picks = lars.picks
                    try:
                        host = lars.get_host()
                    except (Overloaded, NoSuchModule):
                        continue
                    if lars.picks > picks:
                        self.assertLess(lars.agent.now - ejected_at.get(host.address, lars.agent.now), TTL)
                    lars.report(host, retcode)
                    self.note(expected, host.address, retcode)
                    lars.agent.note_ejected(ejected_at)
            elif step in ("time", "sweep"):
                lars.agent.now += value
                if step == "sweep":
                    lars.agent.sweep()
            elif step == "route":
                lars.agent.take_route(*value)
            elif step == "other":
                self.fail_by_another(lars, value)
            else:
                lars.core.flush()
            lars.agent.note_ejected(ejected_at)
        lars.core.close()
        self.assertEqual(lars.agent.results, expected.results)

    def fail_by_another(self, lars: Caller, times: int) -> None:
        results = lars.agent.results
        lars.agent.results = [(Counter(), None)]
        other = Caller(lars.agent, cache_ttl=0)
        for _ in range(times):
            other.report(Host(MODULE, A), 1)
        lars.agent.results = results

    def note(self, expected: ShardAgent, address: HostAddress, retcode: int) -> None:
        if retcode:
            expected.results.append((Counter(), address))
        else:
            expected.results[-1][0][address] += 1


FIVE = (A, B, C, *(parse_host(f"10.0.0.{n}:80") for n in (4, 5)))


class NoticeTests(SynchronousTestCase):
    """Processes of one machine: what one has seen fail, the others know at once."""

    def processes(self, number: int, policy: str = "adaptive") -> list[Caller]:
        """Processes that have each made a hundred calls."""
        agent = ShardAgent(*FIVE, policy=policy)
        callers = [Caller(agent, TTL, 40_001 + n) for n in range(number)]
        for _ in range(100):
            for caller in callers:
                caller.report(caller.get_host(), cost=0.01)
            agent.now += 0.01
        agent.now += TTL
        for caller in callers:
            caller.report(caller.get_host(), cost=0.01)
        for caller in callers:
            self.assertEqual(caller.take_notices(), 0)
        return callers

    def hosts(self, caller: Caller, calls: int = 100) -> Counter[HostAddress]:
        """The hosts of a process's next calls, all of which succeed but are not reported yet."""
        return Counter(caller.get_host().address for _ in range(calls))

    def test_failure_of_one_process_keeps_calls_of_the_others_off_the_host(self) -> None:
        first, second, third = self.processes(3)
        first.report(Host(MODULE, A), 1, 0.001)
        self.assertEqual([first.take_notices(), second.take_notices(), third.take_notices()], [0, 1, 1])
        for caller in (first, second, third):
            self.assertNotIn(A, self.hosts(caller, 10))

    def test_failures_of_one_process_alone_eject_nowhere_else(self) -> None:
        first, second = self.processes(2)
        for _ in range(10):
            first.report(Host(MODULE, A), 1, 0.001)
        second.take_notices()
        self.assertEqual(first.agent.overloaded, 0)
        second.report(Host(MODULE, A), cost=0.01)  # it works for this one
        self.assertIn(A, self.hosts(second))

    def test_ejection_is_known_at_once(self) -> None:
        for policy in ("adaptive", "round_robin", "consistent_hash"):
            first, second, third = self.processes(3, policy)
            for caller in (first, second):
                for _ in range(3):
                    caller.report(Host(MODULE, A), 1, 0.001)
            self.assertEqual(first.agent.overloaded, 1, policy)
            asked = len(first.agent.received)
            for caller in (first, second, third):
                self.assertGreater(caller.take_notices(), 0)
                self.assertEqual(set(self.hosts(caller)), set(FIVE[1:]), policy)
            self.assertNotIn(MessageId.GET_HOST_REQUEST, first.agent.received[asked:])

    def test_success_from_before_a_failure_ends_no_row_of_failures(self) -> None:
        first, second = self.processes(2)
        second.report(Host(MODULE, A), cost=0.01)
        first.report(Host(MODULE, A), 1, 0.001)
        second.take_notices()
        second.report(Host(MODULE, A), 1, 0.001)
        self.assertEqual(first.agent.overloaded, 1)

    def test_host_that_does_not_answer_one_process_is_passed_over_by_the_others(self) -> None:
        first, second = self.processes(2)
        waiting = first.get_host()
        for _ in range(30):  # the calls to the other hosts end
            first.agent.now += 0.02
            host = first.get_host()
            if host != waiting:
                first.report(host, cost=0.01)
        self.assertEqual(second.take_notices(), 1)
        self.assertNotIn(waiting.address, self.hosts(second, 10))
        first.report(waiting, cost=0.6)
        self.assertEqual(first.agent.overloaded, 0)

    def test_slowness_that_others_have_found_is_known_with_the_next_state(self) -> None:
        first, second = self.processes(2)
        for _ in range(40):
            first.report(Host(MODULE, A), cost=0.2)
        for caller in (first, second):
            caller.agent.now += TTL
            caller.report(caller.get_host(), cost=0.01)
        self.assertLess(self.hosts(second, 20)[A], 2)

    def test_process_that_asks_no_more_gets_no_notices(self) -> None:
        first, second = self.processes(2)
        first.agent.now += 4 * TTL
        first.report(Host(MODULE, A), 1, 0.001)
        self.assertEqual(second.arrived, [])

    def test_what_is_no_notice_changes_nothing(self) -> None:
        (caller,) = self.processes(1)
        other = encode_message(MessageId.REPORT_BATCH, ReportBatch(modid=9, cmdid=9))
        caller.arrived = [b"", b"x" * 30, other, encode_message(MessageId.REPORT_BATCH, ReportBatch(modid=0, cmdid=3))]
        caller.take_notices()
        self.assertEqual(set(self.hosts(caller)), set(FIVE))

    def test_agent_gets_the_watch_with_what_the_process_sends_in_any_case(self) -> None:
        (caller,) = self.processes(1)
        caller.agent.now += TTL
        caller.agent.received.clear()
        caller.get_host()
        self.assertEqual(caller.agent.received.count(MessageId.REPORT_BATCH), 1)
