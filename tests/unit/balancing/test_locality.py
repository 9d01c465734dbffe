"""Envoy's formula for zones, as a table."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.locality import Locality, ZonedHost, effective_weights

A = Locality("a")

TABLE: tuple[tuple[str, str, float], ...] = (
    # hosts (capitals take calls, small letters do not), as zone a sees them; the share of calls that stays in zone a
    ("AAAA BBBB", "all well", 1.0),
    ("AAAa BBBB", "three of four: 105 %", 1.0),
    ("AAaa BBBB", "two of four: 70 %", 0.7),
    ("Aaaa BBBB", "one of four: 35 %", 0.35),
    ("aaaa BBBB", "none", 0.0),
    ("AAAA bbbb", "the others are dead", 1.0),
    ("Aaaa Bbbb", "35 % and 35 % are made 100 %", 0.5),
    ("AAaa Bbbb", "70 % and 35 % are made 100 %", 0.7),
    ("A BBBBBBBBB", "a small zone takes all that its callers make", 1.0),
    ("BBBB", "no host of the zone", 0.0),
    ("AAAA", "no other zone", 1.0),
    ("Aaaa", "no other zone, and most are ejected", 1.0),
)


def hosts(text: str) -> list[ZonedHost]:
    return [
        ZonedHost(100, letter.lower(), takes=letter.isupper(), health=float(letter.isupper()))
        for letter in text
        if letter != " "
    ]


class LocalityTests(SynchronousTestCase):
    def test_table(self) -> None:
        for text, why, share in TABLE:
            weights = effective_weights(hosts(text), A)
            own = sum(weight for weight, host in zip(weights, hosts(text), strict=True) if host.zone == "a")
            self.assertAlmostEqual(own / sum(weights), share, msg=f"{text}: {why}")

    def test_own_zone_suffices_longer_with_more_overprovisioning(self) -> None:
        weights = effective_weights(hosts("Aaaa BBBB"), Locality("a", 4.0))
        self.assertEqual(weights[4:], [0.0] * 4)

    def test_hosts_of_a_zone_share_by_weight(self) -> None:
        found = effective_weights([ZonedHost(100, "a"), ZonedHost(300, "a"), ZonedHost(200, "b")], A)
        self.assertEqual(found, [150.0, 450.0, 0.0])

    def test_host_without_a_zone_is_in_another_one(self) -> None:
        self.assertEqual(effective_weights([ZonedHost(100, "a"), ZonedHost(100, "")], A), [200.0, 0.0])

    def test_drained_host_counts_as_one_that_does_not_work(self) -> None:
        zone_a = [ZonedHost(100, "a"), ZonedHost(0, "a", takes=False), ZonedHost(0, "a", takes=False)]
        found = effective_weights([*zone_a, ZonedHost(100, "b")], A)
        self.assertAlmostEqual(found[0] / sum(found), 1.4 / 3)
        self.assertEqual(found[1:3], [0.0, 0.0])

    def test_zone_that_warms_up_gets_its_calls_back_in_steps(self) -> None:
        shares = []
        for health in (0.05, 0.25, 0.5, 0.75):
            found = effective_weights([ZonedHost(100, "a", health=health), ZonedHost(100, "b")], A)
            shares.append(found[0] / sum(found))
        for share, expected in zip(shares, (0.07, 0.35, 0.7, 1.0), strict=True):
            self.assertAlmostEqual(share, expected)

    def test_in_a_panic_weights_are_those_of_the_route(self) -> None:
        found = effective_weights([ZonedHost(100, "a", health=0.0), ZonedHost(50, "b", health=0.0)], A)
        self.assertEqual(found, [100, 50])

    @given(
        st.lists(
            st.builds(
                ZonedHost,
                st.integers(0, 1000),
                st.sampled_from(["", "a", "b"]),
                st.booleans(),
                st.floats(0, 1),
            ),
            max_size=12,
        ),
        st.floats(1, 100),
    )
    def test_sum_is_kept_and_only_hosts_that_take_calls_have_weight(
        self, some: list[ZonedHost], overprovisioning: float
    ) -> None:
        found = effective_weights(some, Locality("a", overprovisioning))
        self.assertAlmostEqual(sum(found), sum(host.weight for host in some if host.takes), places=5)
        for weight, host in zip(found, some, strict=True):
            self.assertGreaterEqual(weight, 0)
            if not host.takes:
                self.assertEqual(weight, 0)
