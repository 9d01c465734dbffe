"""What agents say of hosts, until it is written."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.db.report_rows import CallsSeen, Seen, pack_host
from lars.errors import LarsError
from lars.reporter.seen import MAX_NAME, add_views
from lars.route import HostAddress, ModuleId
from lars.wire.lars_pb2 import AgentFacts, AgentViews, HostView, ModuleView

M = ModuleId(1, 1)
A = HostAddress(5, 80)
KEY = pack_host(*A)
TEXT = st.text(max_size=300)


def view_of(*hosts: HostView, modid: int = 1, version: int = 7, period_s: int = 60) -> AgentViews:
    return AgentViews(module=[ModuleView(modid=modid, cmdid=1, version=version, host=hosts, period_s=period_s)])


def host_view(condition: int = 2, reason: str = "http 503", **fields: int) -> HostView:
    return HostView(ip=A.ip, port=A.port, condition=condition, reason=reason, **fields)


class SeenTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.seen = Seen(9, 7)

    def test_state_has_the_time_at_which_it_began_by_the_reporters_clock(self) -> None:
        self.assertEqual(add_views(view_of(host_view(age_s=40, latency_us=5)), 1000.5, self.seen), 2)
        self.assertEqual(self.seen.hosts[M][KEY], (2, "http 503", 960, 5, None))
        self.assertEqual((self.seen.versions, self.seen.at), ({M: 7}, 1000))

    def test_later_state_replaces_an_earlier_one_and_keeps_its_calls(self) -> None:
        add_views(view_of(host_view(succ=3, err=1)), 1000, self.seen)
        self.assertEqual(add_views(view_of(host_view(condition=1, reason="")), 1005, self.seen), 0, "no new row")
        self.assertEqual(self.seen.hosts[M][KEY], (1, "", 1005, 0, CallsSeen(3, 1, 1000, 60)))

    def test_forgotten_module_takes_its_hosts_along(self) -> None:
        add_views(view_of(host_view()), 1000, self.seen)
        add_views(AgentViews(module=[ModuleView(modid=1, cmdid=1, forgotten=True)]), 1001, self.seen)
        self.assertEqual((self.seen.versions, self.seen.hosts), ({M: None}, {}))

    def test_state_of_a_newer_agent_is_skipped(self) -> None:
        add_views(view_of(host_view(condition=9)), 1000, self.seen)
        self.assertEqual(self.seen.hosts[M], {})

    def test_what_cannot_be_is_refused_whole(self) -> None:
        for message in (
            view_of(host_view(), modid=-1),
            AgentViews(module=[ModuleView()]),
            view_of(host_view(), HostView(ip=0, port=80)),
            view_of(HostView(ip=1, port=70_000)),
        ):
            with self.assertRaises(LarsError):
                add_views(message, 1000, self.seen)
        self.assertEqual((self.seen.hosts, self.seen.versions, self.seen.at), ({}, {}, 0))

    def test_facts_are_taken_as_lines_that_can_be_shown(self) -> None:
        facts = AgentFacts(
            hostname="shop\n1" + "x" * 300, version="1.2", zone="Bad Zone", age_s=60, settings="a = 1\nb = 2"
        )
        self.assertEqual(add_views(AgentViews(agent=facts), 1000, self.seen), 1)
        assert self.seen.facts is not None
        self.assertEqual(self.seen.facts.hostname, ("shop?1" + "x" * 300)[:MAX_NAME])
        self.assertEqual((self.seen.facts.zone, self.seen.facts.started_at), ("", 940))
        self.assertEqual(self.seen.facts.settings, "a = 1\nb = 2")

    @given(TEXT, TEXT, st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
    def test_whatever_comes_fits_the_tables(self, reason: str, name: str, number: int, version: int) -> None:
        seen = Seen(9, 7)
        message = view_of(host_view(reason=reason, age_s=number, succ=number), version=version, period_s=number)
        message.agent.CopyFrom(AgentFacts(hostname=name, version=name, dns=name, settings=name, age_s=number))
        add_views(message, 1e9, seen)
        _state, text, since, _latency, calls = seen.hosts[M][KEY]
        assert seen.facts is not None
        assert calls is not None
        self.assertTrue(text.isprintable() and len(text) <= 64)
        self.assertTrue(0 <= since <= 1e9 and calls.period <= 86_400)
        self.assertTrue((seen.versions[M] or 0) < 2**63)
        self.assertTrue(all(len(text) <= 255 for text in seen.facts[1:6]) and len(seen.facts.version) <= 64)
