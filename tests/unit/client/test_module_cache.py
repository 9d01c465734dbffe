"""The cache of one module, without an agent."""

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from lars.client import Host, Overloaded
from lars.client.address import AgentAddress
from lars.client.module_cache import MAX_HASHED_HOSTS, ModuleCache
from lars.client.shard_state import UNSUPPORTED_TTL, ShardState
from lars.route import HostAddress, ModuleId, parse_host
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import (
    GetHostResponse,
    HostInfo,
    ReportBatch,
    ReportRequest,
    RouteStateRequest,
    RouteStateResponse,
)
from lars.wire.messages import Message, MessageId, decode_message, encode_message

A, B, C = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3))
MODULE = ModuleId(1, 1)
TTL = 2.0


def infos(*hosts: HostAddress) -> list[HostInfo]:
    return [HostInfo(ip=host.ip, port=host.port) for host in hosts]


def decoded(datagram: bytes) -> Message | None:
    return decode_message(*decode_datagram(datagram))


class ModuleCacheTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.shard = ShardState(AgentAddress("127.0.0.1", 8888), 0)
        self.cached = ModuleCache(MODULE, self.shard, TTL)

    def ask(
        self,
        now: float,
        healthy: tuple[HostAddress, ...] | None = None,
        ejected: tuple[HostAddress, ...] = (),
        version: int = 1,
        policy: str = "adaptive",
        weights: tuple[int, ...] = (),
        answer: HostAddress = A,
        ends: bool = True,
        each: bool = False,
    ) -> bool:
        """A query, answered with this state (None: without one) and a host; returns whether it asked for the state.

        The call to this host `ends` at once, unless that is False. With `each`, the agent wants to be asked each time.
        """
        query = self.cached.query(7, 0, now)
        if healthy is not None:
            state = RouteStateResponse(
                seq=7,
                modid=1,
                cmdid=1,
                version=version,
                idle=infos(*healthy),
                overloaded=infos(*ejected),
                policy=policy,
                idle_weight=weights,
                ask=each,
            )
            query.answer(encode_message(MessageId.ROUTE_STATE_RESPONSE, state))
        response = GetHostResponse(seq=7, modid=1, cmdid=1, host=infos(answer)[0])
        self.answered = query.answer(encode_message(MessageId.GET_HOST_RESPONSE, response))
        if ends and self.answered is not None:
            self.cached.results(self.answered, 0, None, now)
        return len(query.datagrams) == 2

    def call(self, now: float, retcode: int = 0, cost: float | None = None) -> Host | None:
        """A call as a client makes it, if the cache has a host."""
        quick = now < self.cached.quick_until
        host = self.cached.quick().public if quick else self.cached.choose(0, now)
        if host is not None and (retcode or not quick or not self.cached.gather(host.address, cost)):
            self.cached.results(host, retcode, cost, now)
        return host

    def calls(self, times: int, now: float, gap: float = 0.0) -> Counter[HostAddress | None]:
        hosts = [self.call(now + n * gap) for n in range(times)]
        return Counter(host.address if host is not None else None for host in hosts)


class ChoiceTests(ModuleCacheTestCase):
    def test_cache_is_empty_at_first(self) -> None:
        self.assertEqual(self.calls(3, 100.0), {None: 3})

    def test_healthy_hosts_are_chosen_in_turns_until_the_ttl_has_passed(self) -> None:
        for policy in ("adaptive", "round_robin", "classic", "a newer one", ""):
            self.setUp()
            self.assertTrue(self.ask(100.0, (A, B, C), policy=policy))
            self.assertEqual(self.calls(30, 100.0, gap=0.01), {A: 10, B: 10, C: 10}, policy)
            self.assertEqual(self.calls(3, 100.0 + TTL), {None: 3}, policy)

    def test_hosts_that_the_agent_ejected_get_no_calls(self) -> None:
        for policy in ("adaptive", "round_robin", "consistent_hash", "classic"):
            self.setUp()
            self.ask(100.0, (A, B), (C,), policy=policy)
            chosen = self.calls(200, 100.0, gap=0.009)
            self.assertEqual(set(chosen), {A, B}, policy)

    def test_older_agent_chooses_itself_while_a_host_is_ejected(self) -> None:
        self.ask(100.0, (A, B), (C,), policy="")
        self.assertEqual(self.calls(3, 100.1), {None: 3})

    def test_module_that_is_set_so_is_asked_for_each_time_and_its_hosts_are_not_ejected_here(self) -> None:
        self.ask(100.0, (A, B), version=1, each=True)
        self.assertEqual(self.calls(3, 100.1), {None: 3})
        for n in range(5):
            self.cached.results(Host(MODULE, A), 1, None, 100.1 + n)
        self.ask(106.0, (A, B), version=1, each=True)
        self.assertEqual(self.answered, Host(MODULE, A))
        self.ask(108.0, (A, B), version=2)
        self.assertEqual(set(self.calls(30, 108.0)), {A, B})

    def test_probe_of_the_agent_is_called(self) -> None:
        self.ask(100.0, (A, B), (C,), answer=C)
        self.assertEqual(self.answered, Host(MODULE, C))

    def test_choice_of_the_agent_is_not_called_if_the_host_failed_here(self) -> None:
        self.ask(100.0, (A, B, C))
        for _ in range(3):
            self.cached.results(Host(MODULE, A), 1, None, 100.1)
        self.ask(100.0 + TTL, (A, B, C), answer=A)
        assert self.answered is not None
        self.assertIn(self.answered.address, (B, C))

    def test_restored_host_starts_slowly(self) -> None:
        self.ask(100.0, (A, B), (C,), version=1)
        self.calls(100, 100.0, gap=0.01)
        self.ask(100.0 + TTL, (A, B, C), version=2)
        chosen = self.calls(100, 100.0 + TTL, gap=0.01)
        self.assertGreater(chosen[C], 0)
        self.assertLess(chosen[C], 25)

    def test_hosts_have_shares_by_their_weights(self) -> None:
        for policy in ("adaptive", "round_robin"):
            self.setUp()
            self.ask(100.0, (A, B, C), weights=(100, 200, 0), policy=policy)
            chosen = self.calls(300, 100.0, gap=0.001)
            self.assertEqual(set(chosen), {A, B})
            self.assertLess(abs(chosen[B] - 200), 4, policy)

    def test_hosts_take_calls_if_all_are_drained(self) -> None:
        self.ask(100.0, (A, B), weights=(0, 0))
        self.assertEqual(self.calls(10, 100.0), {A: 5, B: 5})

    def test_busy_host_gets_less(self) -> None:
        self.ask(100.0, (A, B, C))
        busy = self.cached.quick()
        while busy.address != A:
            busy = self.cached.quick()
        for _ in range(20):  # calls to A that do not end
            host = self.cached.quick().public
            if host.address != A:
                self.cached.gather(host.address, None)
        self.assertLess(self.calls(300, 100.0)[A], 30)

    def test_slow_host_gets_less(self) -> None:
        self.ask(100.0, (A, B, C))
        for n in range(300):
            now = 100.0 + n * 0.003
            host = self.cached.quick().public if now < self.cached.quick_until else self.cached.choose(0, now)
            assert host is not None
            cost = 0.05 if host.address == A else 0.01
            if not self.cached.gather(host.address, cost):
                self.cached.results(host, 0, cost, now)
        self.assertLess(self.calls(300, 101.0)[A], 30)

    def test_module_without_hosts_is_not_cached(self) -> None:
        self.ask(100.0, (), version=0)
        self.assertEqual(self.calls(1, 100.0), {None: 1})
        self.ask(100.0, (), (A, B), policy="classic")
        self.assertEqual(self.calls(1, 100.0), {None: 1})

    def test_state_is_asked_for_once_in_a_ttl_with_the_version_at_hand(self) -> None:
        self.ask(100.0, (A,), version=5)
        self.assertFalse(self.ask(100.0 + TTL / 2))
        query = self.cached.query(8, 0, 100.0 + TTL)
        request = decoded(query.datagrams[0])
        assert isinstance(request, RouteStateRequest)
        self.assertEqual(request.version, 5)

    def test_unchanged_state_keeps_its_hosts(self) -> None:
        self.ask(100.0, (A,), version=5)
        self.ask(100.0 + TTL, (), version=5)
        self.assertEqual(self.cached.until, 100.0 + 2 * TTL)
        self.assertEqual(self.calls(2, 100.0 + TTL), {A: 2})

    def test_agent_without_route_states_is_not_asked_for_one_again_for_a_while(self) -> None:
        self.assertTrue(self.ask(100.0))
        self.assertFalse(self.ask(100.0 + UNSUPPORTED_TTL - 1))
        self.assertTrue(self.ask(100.0 + UNSUPPORTED_TTL))

    def test_ttl_0_never_asks_for_the_state(self) -> None:
        self.cached = ModuleCache(MODULE, self.shard, 0.0)
        self.assertFalse(self.ask(100.0))

    def test_ended_cache_chooses_no_more(self) -> None:
        self.ask(100.0, (A,))
        self.cached.end()
        self.assertEqual(self.calls(1, 100.0), {None: 1})
        self.assertFalse(self.ask(200.0))

    def test_load_is_shed_here_too(self) -> None:
        self.ask(100.0, (A, B, C))
        now, refused = 100.0, 0
        for n in range(4_000):
            now += 0.005
            try:
                if now >= self.cached.until:
                    self.ask(now, (), version=1)
                self.call(now, retcode=int(n > 400), cost=1.0 if n > 400 else 0.01)
            except Overloaded:
                refused += 1
        self.assertGreater(refused, 1_000)

    def test_error_out_of_a_signal_leaves_no_half_done_rules(self) -> None:
        self.ask(100.0, (A, B))
        cached, choice = self.cached, self.cached._choice
        assert choice is not None

        def interrupted(*_arguments: object) -> bool:
            raise KeyboardInterrupt

        self.patch(type(choice), "report", interrupted)
        self.assertRaises(KeyboardInterrupt, cached.results, Host(MODULE, A), 1, None, 100.0)
        self.assertEqual(self.calls(1, 100.0), {None: 1})
        self.assertTrue(self.ask(100.1, (A, B), ends=False))


class KeyTests(ModuleCacheTestCase):
    def test_calls_of_one_key_go_to_one_host(self) -> None:
        self.ask(100.0, (A, B, C), policy="consistent_hash")
        first, again = self.hosts_of_keys(100.0), self.hosts_of_keys(100.5)
        self.assertEqual(first, again)
        self.assertEqual(set(first), {A, B, C})
        self.ask(100.0 + TTL, (A, B), (C,), version=2, policy="consistent_hash")
        for before, after in zip(first, self.hosts_of_keys(100.0 + TTL), strict=True):
            self.assertIn(after, (A, B) if before == C else (before,))

    def hosts_of_keys(self, now: float) -> list[HostAddress]:
        hosts = []
        for key in range(1, 200):
            host = self.cached.choose(key, now)
            assert host is not None
            self.cached.results(host, 0, None, now)
            hosts.append(host.address)
        return hosts

    def test_other_policies_know_no_keys(self) -> None:
        for policy in ("adaptive", "round_robin", "classic"):
            self.setUp()
            self.ask(100.0, (A, B, C), policy=policy)
            hosts = {self.cached.choose(7, 100.0) for _ in range(30)}
            self.assertEqual(len(hosts), 3, policy)

    def test_older_agent_and_one_with_a_large_table_are_asked(self) -> None:
        self.ask(100.0, (A, B, C), policy="")
        self.assertIsNone(self.cached.choose(7, 100.0))
        self.setUp()
        many = tuple(HostAddress(n, 80) for n in range(1, MAX_HASHED_HOSTS + 2))
        self.ask(100.0, many, policy="consistent_hash", answer=many[0])
        self.assertIsNone(self.cached.choose(7, 100.0))


class ResultTests(ModuleCacheTestCase):
    def batch(self, *datagrams: bytes) -> dict[HostAddress, tuple[int, int, int]]:
        (datagram,) = datagrams
        batch = decoded(datagram)
        assert isinstance(batch, ReportBatch)
        return {HostAddress(r.ip, r.port): (r.succ, r.timed, r.cost_us) for r in batch.result}

    def test_gathered_successes_are_one_batch_with_their_costs_and_then_none(self) -> None:
        for policy in ("adaptive", "classic"):
            self.setUp()
            self.ask(100.0, (A, B, C), answer=C, policy=policy)
            for address, cost in ((A, 0.25), (B, None), (A, None), (A, 0.5)):
                self.assertTrue(self.cached.gather(address, cost))
            self.assertEqual(self.cached.gathered, 4)
            self.assertEqual(self.batch(*self.cached.batches()), {A: (3, 2, 750_000), B: (1, 0, 0)})
            self.assertEqual((self.cached.batches(), self.cached.gathered), ([], 0))

    def test_success_is_gathered_where_the_rules_must_see_it_too(self) -> None:
        self.ask(100.0, (A, B, C), answer=C)
        self.assertEqual(self.cached.results(Host(MODULE, A), 0, 0.25, 100.1), [])
        self.assertEqual(self.batch(*self.cached.batches()), {A: (1, 1, 250_000)})

    def test_result_of_a_call_whose_host_the_agent_chose_is_sent_alone(self) -> None:
        self.ask(100.0, (A, B), (C,), answer=C, ends=False)
        self.assertFalse(self.cached.gather(C, None))
        watch, report = map(decoded, self.cached.results(Host(MODULE, C), 0, None, 100.0))
        assert isinstance(report, ReportRequest)
        self.assertEqual((report.retcode, report.host.ip), (0, C.ip))
        assert isinstance(watch, ReportBatch)
        self.assertEqual((list(watch.result), watch.watch_ms), ([], 3_000 * TTL))

    def test_module_is_watched_once_in_a_ttl(self) -> None:
        self.ask(100.0, (A, B, C), answer=C)
        self.assertFalse(self.cached.flush_due(100.0 + TTL / 2))
        self.assertTrue(self.cached.flush_due(100.0 + TTL))
        (datagram,) = self.cached.batches(100.0 + TTL)
        watch = decoded(datagram)
        assert isinstance(watch, ReportBatch)
        self.assertEqual(watch.watch_ms, 3_000 * TTL)
        self.assertEqual(self.cached.batches(100.0 + TTL), [])

    def test_result_follows_the_successes_gathered_before_it(self) -> None:
        self.ask(100.0, (A, B, C), answer=C)
        self.cached.gather(A, None)
        batch, report = map(decoded, self.cached.results(Host(MODULE, B), 1, 0.25, 100.0))
        self.assertIsInstance(batch, ReportBatch)
        assert isinstance(report, ReportRequest)
        self.assertEqual((report.retcode, report.cost_ms, report.host.ip), (1, 250, B.ip))

    def test_after_a_failure_half_of_the_successes_are_sent_at_any_time(self) -> None:
        self.ask(100.0, (A, B, C), answer=C)
        self.cached.results(Host(MODULE, B), 1, None, 100.0)
        sent = 0
        for done in range(1, 3_000):
            if not self.cached.gather(A, None):
                for datagram in self.cached.results(Host(MODULE, A), 0, None, 100.0):
                    sent += sum(succ for succ, _timed, _cost in self.batch(datagram).values())
            self.assertGreaterEqual(2 * sent + 2, done)
        self.assertLess(sent, 3_000)

    def test_failure_acts_at_once_and_the_choosing_goes_on(self) -> None:
        self.ask(100.0, (A, B, C))
        self.cached.results(Host(MODULE, A), 1, None, 100.0)
        self.assertLess(self.calls(100, 100.0, gap=0.001)[A], 10)
        for _ in range(2):
            self.cached.results(Host(MODULE, A), 1, None, 100.2)
        self.assertEqual(set(self.calls(100, 100.2, gap=0.01)), {B, C})

    def test_after_a_failure_an_agent_that_ejects_alone_is_asked_next(self) -> None:
        for policy in ("classic", ""):
            self.setUp()
            self.ask(100.0, (A, B), policy=policy)
            self.cached.results(Host(MODULE, A), 0, None, 100.0)
            self.assertEqual(self.cached.until, 100.0 + TTL)
            self.cached.results(Host(MODULE, A), 1, None, 100.0)
            self.assertEqual(self.calls(1, 100.0), {None: 1})
            self.assertTrue(self.ask(100.5, (A, B), policy=policy))

    def test_successes_outlive_a_change_of_hosts_and_policy(self) -> None:
        self.ask(100.0, (A, B), answer=B)
        self.cached.gather(A, 0.5)
        self.ask(100.0 + TTL, (B,), version=2, answer=B)
        self.cached.results(Host(MODULE, B), 0, None, 102.0)
        self.cached.results(Host(MODULE, B), 0, None, 102.0)
        self.ask(100.0 + 2 * TTL, (B, C), version=3, policy="classic", answer=B)
        self.cached.gather(C, None)
        self.assertEqual(self.cached.gathered, 1)
