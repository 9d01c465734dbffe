"""The clients' core with a shard of the real agent: what it chooses from its cache, and what it sends when."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.client import AgentUnavailable
from lars.client.address import AgentAddress
from lars.client.core import Core
from lars.client.host import Host
from lars.client.shard_state import UNSUPPORTED_TTL
from lars.errors import SettingsError
from lars.route import HostAddress, parse_host
from lars.wire.messages import MessageId
from tests.unit.client.shard_agent import MODULE, Caller, ShardAgent

A, B, C = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3))
TTL = 2.0


def caller(*hosts: HostAddress, cache_ttl: float = TTL, plain: bool = False) -> Caller:
    return Caller(ShardAgent(*hosts, plain=plain), cache_ttl)


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
        self.assertEqual(lars.agent.received, [MessageId.ROUTE_STATE_REQUEST, MessageId.GET_HOST_REQUEST])

    def test_changed_route_is_used_after_the_ttl_at_the_latest(self) -> None:
        lars = caller(A)
        lars.get_host()
        lars.agent.take_route(B, C)
        lars.agent.now += TTL
        self.assertEqual({lars.get_host().address for _ in range(10)}, {B, C})

    def test_module_with_an_overloaded_host_always_asks_the_agent(self) -> None:
        lars = caller(A, B)
        host = next(h for h in (lars.get_host() for _ in range(9)) if h.address == A)
        for _ in range(40):
            lars.report(host, 1)
        self.assertEqual(lars.agent.overloaded, 1)
        lars.picks = 0
        chosen = Counter(lars.get_host().address for _ in range(110))
        self.assertEqual((chosen, lars.picks), ({B: 100, A: 10}, 0))

    def test_overload_that_others_caused_is_seen_after_the_ttl_and_its_end_too(self) -> None:
        lars = caller(A, B)
        host = lars.get_host()
        other = Caller(lars.agent)
        for _ in range(40):
            other.report(host, 1)
        lars.agent.now += TTL
        lars.picks = 0
        for _ in range(5):
            lars.get_host()
        self.assertEqual(lars.picks, 0)
        lars.agent.now += 15
        lars.agent.sweep()
        for _ in range(5):
            lars.get_host()
        self.assertEqual(lars.picks, 4)

    def test_after_a_failure_the_agent_is_asked_next(self) -> None:
        lars = caller(A, B)
        host = lars.get_host()
        lars.get_host()
        lars.report(host, 1)
        lars.picks = 0
        lars.get_host()
        self.assertEqual(lars.picks, 0)
        lars.get_host()
        self.assertEqual(lars.picks, 1)

    def test_state_asked_for_before_a_failure_is_not_believed_after_it(self) -> None:
        lars = caller(A, B)
        query = lars.core.query(lars.cached, 7, lars.agent.now)
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
        lars = caller(A, B, plain=True)
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
        lars.core.query(lars.core.cached(0, 6), 1, lars.agent.now)
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
        self.assertRaises(AgentUnavailable, lars.core.report, Host(MODULE, A), 0, None)

    def test_child_of_a_fork_sends_nothing_that_is_its_parents(self) -> None:
        lars = caller(A)
        lars.report(lars.get_host())
        lars.core.forked()
        lars.core.flush()
        self.assertEqual(lars.agent.results, [(Counter(), None)])

    def test_more_successes_than_a_datagram_holds_hosts_go_in_several(self) -> None:
        hosts = [HostAddress((10 << 24) + n, 80) for n in range(1, 4001)]
        lars = caller(*hosts)
        lars.get_host()
        for _ in range(8000):
            lars.report(lars.get_host())
        lars.core.flush()
        self.assertEqual(lars.agent.results, [(Counter(dict.fromkeys(hosts, 2)), None)])
        self.assertEqual(lars.agent.received.count(MessageId.REPORT_BATCH), 2)

    @given(
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
        )
    )
    @settings(max_examples=300, deadline=None)
    def test_agent_sees_every_result_in_order_and_is_asked_whenever_a_host_is_overloaded(self, steps: list) -> None:  # type: ignore[type-arg]
        lars = caller(A, B)
        expected = ShardAgent(A, B)
        for step, value, retcode in steps:
            if step == "call":
                for _ in range(value):
                    picks = lars.picks
                    stale = lars.agent.now - self.overloaded_since(lars) < TTL
                    try:
                        host = lars.get_host()
                    except Exception as error:
                        self.assertIn(type(error).__name__, ("Overloaded", "NoSuchModule"))
                        continue
                    self.assertTrue(lars.picks == picks or not lars.agent.overloaded or stale)
                    lars.report(host, retcode)
                    self.note(expected, host.address, retcode)
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
        lars.core.close()
        self.assertEqual(lars.agent.results, expected.results)

    def overloaded_since(self, lars: Caller) -> float:
        """When the last host was ejected."""
        records = [host.record for host in lars.agent.shard.modules[MODULE].hosts.values()]
        return max((record.reset_at for record in records if record.overloaded), default=0.0)

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
