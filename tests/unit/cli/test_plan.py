"""What a fleet of a size needs, by costs that are round numbers."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.plan import BUSY, CONNECTIONS, LONGEST_INTERVAL, Costs, Fleet, plan

COSTS = Costs(
    dns_memory_mib=40,
    dns_route_bytes=2**10,
    dns_connection_kib=8,
    dns_connect_us=100,
    dns_push_us=10,
    heartbeat_us=100,
    dns_change_us=1_000,
    reporter_memory_mib=60,
    reporter_connection_kib=4,
    reporter_report_us=100,
    reporter_result_us=10,
    database_report_us=50,
    database_result_us=20,
)
FLEET = Fleet(agents=10_000, modules=1_000, hosts=10_240, changes_per_minute=60)


class PlanTests(SynchronousTestCase):
    def test_rates_follow_from_the_fleet(self) -> None:
        result = plan(FLEET, COSTS)
        self.assertEqual(result.pushes, 200, "a change a second, each to 20 of 1,000 of 10,000 agents")
        self.assertEqual((result.reports, result.results), (4_000, 20_000))
        self.assertEqual(result.rows, 48_000, "cursor and caller of a report, status and history of a result")

    def test_dns_has_room_for_routes_and_agents_and_one_may_fail(self) -> None:
        dns, _reporter, _database = plan(FLEET, COSTS).needs
        self.assertEqual((dns.instances, dns.limit), (2, "connections"))
        self.assertAlmostEqual(dns.memory_mib, 40 + 10 + 78.125)
        self.assertAlmostEqual(dns.cores, 0.001 + 0.002 + 0.1, msg="changes, pushes, heartbeats")

    def test_number_of_dns_is_that_of_the_largest_load(self) -> None:
        for fleet, instances, limit in (
            (replace(FLEET, agents=3 * CONNECTIONS), 4, "connections"),
            (replace(FLEET, agents=3 * CONNECTIONS + 1), 5, "connections"),
            (replace(FLEET, modules_per_agent=1_000, agents=20_000), 3, "subscriptions"),
            (replace(FLEET, modules=20, changes_per_minute=1_200), 6, "CPU"),
        ):
            dns = plan(fleet, COSTS).needs[0]
            self.assertEqual((dns.instances, dns.limit), (instances, limit), fleet)

    def test_reporters_are_as_many_as_reports_need(self) -> None:
        _dns, reporter, _database = plan(FLEET, COSTS).needs
        self.assertEqual((reporter.instances, reporter.limit), (3, "CPU"), "0.7 cores, of each a half")
        self.assertAlmostEqual(reporter.cores, 0.7 / 2)

    def test_database_is_three_nodes_each_of_which_writes_everything(self) -> None:
        database = plan(FLEET, COSTS).needs[2]
        self.assertEqual(database.instances, 3)
        self.assertAlmostEqual(database.cores, 0.2 + 0.4)

    def test_writes_of_reports_are_full_first_and_a_longer_interval_moves_that(self) -> None:
        full = plan(replace(FLEET, database_cores=1), COSTS).bottleneck
        self.assertEqual(full.what, "writes of reports in the database")
        self.assertAlmostEqual(full.share, 1.2)
        self.assertEqual(full.agents, 8_333)
        self.assertEqual(full.remedy, "report_interval = 6 in the agents' conf (now 5)")
        moved = plan(replace(FLEET, database_cores=1, report_interval=6), COSTS).bottleneck
        self.assertLessEqual(moved.share, 1 + 1e-9)
        self.assertEqual(moved.remedy, "nothing: there is room")

    def test_where_the_longest_interval_is_too_short_the_remedy_names_cores_that_suffice(self) -> None:
        fleet = replace(FLEET, agents=1_000_000, database_cores=4)
        self.assertEqual(
            plan(fleet, COSTS).bottleneck.remedy,
            "report_interval = 60 in the agents' conf, and database nodes of 10 cores",
        )
        lifted = replace(fleet, report_interval=LONGEST_INTERVAL, database_cores=10)
        self.assertLessEqual(plan(lifted, COSTS).bottleneck.share, 1 + 1e-9)

    def test_changes_that_every_dns_follows_may_be_full_first(self) -> None:
        full = plan(replace(FLEET, agents=10, changes_per_minute=36_000), COSTS).bottleneck
        self.assertEqual(full.what, "changes, which each lars-dns follows")
        self.assertAlmostEqual(full.share, 0.6 / BUSY)

    def test_agents_of_a_dead_dns_are_spread_over_the_others(self) -> None:
        result = plan(replace(FLEET, agents=4 * CONNECTIONS), COSTS)
        self.assertEqual(result.needs[0].instances, 5)
        self.assertAlmostEqual(result.reconnect_seconds, 80_000 / 5 / 4 * 100e-6)

    @given(
        st.builds(
            Fleet,
            agents=st.integers(1, 10**7),
            modules=st.integers(1, 10**6),
            hosts=st.integers(1, 10**7),
            changes_per_minute=st.floats(0, 10**5),
            modules_per_agent=st.integers(0, 1_000),
            called_modules=st.integers(0, 100),
            called_hosts=st.integers(0, 1_000),
            report_interval=st.floats(0.1, 3600),
        )
    )
    def test_more_agents_never_need_less(self, fleet: Fleet) -> None:
        small, large = plan(fleet), plan(replace(fleet, agents=2 * fleet.agents))
        for less, more in zip(small.needs, large.needs, strict=True):
            self.assertGreaterEqual(more.instances, less.instances)
            self.assertGreaterEqual(more.instances, 2)
        self.assertGreaterEqual(large.bottleneck.share, small.bottleneck.share)
