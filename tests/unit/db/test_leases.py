"""The lease store: registrations of a batch share a version, and silent hosts leave as the policy says."""

from lars.db.alarms import WAITING
from lars.db.leases import Batch, Expired, LeaseStore, Look, Place, Registration, Silence, Stored
from lars.db.routes import hosts_of_txn, version_txn
from lars.route import MAX_HOSTS, HostAddress, ModuleId
from tests.unit.db.memory import StoreCase

PAY = ModuleId(1, 1)
A, B, C = (HostAddress(n, 80) for n in (1, 2, 3))
NOW = 1000.5
PERIOD = 60.0
LEASE = Registration(30, "ann")


class LeaseCase(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.database.set_clock(NOW)
        self.store = LeaseStore(self.database)

    def put(self, *hosts: HostAddress, registration: Registration = LEASE, now: float = NOW) -> frozenset[Place]:
        """Registers hosts; the places that are new."""
        self.database.set_clock(now)
        batch = Batch({(PAY, host): registration for host in hosts}, {})
        stored: Stored = self.successResultOf(self.store.store(batch))
        return stored.new

    def hosts(self) -> set[HostAddress]:
        return hosts_of_txn(self.txn, [PAY])[PAY]


class StoreTests(LeaseCase):
    def test_batch_has_one_version(self) -> None:
        self.assertEqual(self.put(A, B), {(PAY, A), (PAY, B)})
        self.assertEqual((self.hosts(), version_txn(self.txn)), ({A, B}, 1000))

    def test_renewal_has_no_version(self) -> None:
        self.put(A)
        self.assertEqual(self.put(A, now=NOW + 20), frozenset())
        self.assertEqual(version_txn(self.txn), 1000)

    def test_registration_for_ever_has_no_lease(self) -> None:
        self.put(A, B)
        self.put(A, registration=Registration(0, "ann"))
        self.assertEqual((self.hosts(), self.successResultOf(self.store.places())), ({A, B}, {(PAY, B)}))

    def test_owner_removes_a_host_with_its_lease(self) -> None:
        self.put(A, B)
        self.successResultOf(self.store.store(Batch({}, {(PAY, A): "ann"})))
        self.assertEqual((self.hosts(), self.successResultOf(self.store.places())), ({B}, {(PAY, B)}))

    def test_limited_to_a_user_only_hosts_that_the_users_tokens_registered_are_renewed_or_removed(self) -> None:
        mine, other = (Registration(30, f"api:{user}/node", user) for user in ("bob", "eve"))
        self.put(A, registration=mine)
        self.put(B, registration=Registration(0, "ann"))
        foreign = {(PAY, A), (PAY, B)}
        stored = self.successResultOf(self.store.store(Batch(dict.fromkeys([*foreign, (PAY, C)], other), {})))
        self.assertEqual((stored.foreign, stored.new), (foreign, {(PAY, C)}))
        removal = Batch({}, dict.fromkeys(foreign, "api:eve/node"), dict.fromkeys(foreign, "eve"))
        self.assertEqual(self.successResultOf(self.store.store(removal)).foreign, foreign)
        self.assertEqual(self.hosts(), {A, B, C})
        renamed = Registration(30, "api:bob/newer-token", "bob")
        self.assertEqual(self.successResultOf(self.store.store(Batch({(PAY, A): renamed}, {}))).foreign, frozenset())
        self.successResultOf(self.store.store(Batch({}, {(PAY, A): "api:bob/node"}, {(PAY, A): "bob"})))
        self.assertEqual(self.hosts(), {B, C})

    def test_new_hosts_over_the_limit_are_refused_and_others_renewed(self) -> None:
        self.put(*(HostAddress(n, 80) for n in range(1, MAX_HOSTS + 1)))
        over = HostAddress(MAX_HOSTS + 1, 80)
        stored = self.successResultOf(self.store.store(Batch({(PAY, A): LEASE, (PAY, over): LEASE}, {})))
        self.assertEqual((stored.refused, stored.new), ({(PAY, over)}, frozenset()))
        self.assertEqual(len(self.hosts()), MAX_HOSTS)


class ExpiryTests(LeaseCase):
    def expire(self, now: float, *leaving: HostAddress, heard_for: float = 1000.0) -> tuple[Expired, list[Silence]]:
        """Expires with a policy that lets some hosts leave; the result, and what the policy was asked."""
        asked: list[Silence] = []

        def policy(silence: Silence) -> frozenset[HostAddress]:
            asked.append(silence)
            return frozenset(leaving)

        return self.successResultOf(self.store.expire(now, 5.0, heard_for, PERIOD, policy)), asked

    def alarms(self) -> list[tuple[object, ...]]:
        return self.txn.all("SELECT what, cleared_at FROM Alarm ORDER BY id")

    def test_host_is_silent_a_margin_after_its_lease(self) -> None:
        self.put(A)
        for now, silent in ((NOW + 34.9, []), (NOW + 35.1, [Silence(PAY, 0, (A,))])):
            self.assertEqual(self.expire(now)[1], silent)

    def test_host_that_could_not_renew_in_time_is_kept(self) -> None:
        self.put(A)
        self.assertEqual(self.expire(NOW + 100, A, heard_for=30.0), (Expired({}, {}), []))
        self.assertEqual(self.hosts(), {A})

    def test_longest_silent_host_comes_first(self) -> None:
        self.put(B, now=NOW)
        self.put(A, now=NOW + 1)
        self.put(C, now=NOW + 100)
        self.assertEqual(self.expire(NOW + 100)[1], [Silence(PAY, 1, (B, A))])

    def test_hosts_leave_and_kept_ones_raise_an_alarm_until_they_renew(self) -> None:
        self.put(A, B)
        result, _ = self.expire(NOW + 100, A)
        self.assertEqual((result, self.hosts()), (Expired({PAY: 1}, {PAY: 1}), {B}))
        self.assertEqual(self.alarms(), [("hosts_kept", 0)])
        due = self.txn.all("SELECT raise_told, clear_told FROM Alarm")
        self.assertEqual(due, [(WAITING, WAITING)], "a reporter with a rule for it posts it")
        self.expire(NOW + 101)
        self.put(B, now=NOW + 102)
        self.expire(NOW + 103)
        self.assertEqual(self.alarms(), [("hosts_kept", int(NOW + 103))])

    def left_lately(self, now: float) -> int:
        [silence] = self.expire(now)[1]
        return silence.left_lately

    def test_hosts_that_left_in_the_period_count_whichever_lars_web_let_them_leave(self) -> None:
        self.put(A, B, C)
        self.put(HostAddress(4, 80), now=NOW + 40)
        self.expire(NOW + 50, A, B, C)
        self.assertEqual(self.left_lately(NOW + 100), 3)
        self.txn.execute("DELETE FROM Alarm")
        self.assertEqual(self.left_lately(NOW + 111), 0)

    def test_hosts_that_left_count_while_others_are_kept_and_a_period_longer(self) -> None:
        self.put(A, B, C)
        self.expire(NOW + 50, A, B)
        self.assertEqual(self.left_lately(NOW + 5000), 2)
        self.put(C, now=NOW + 5001)
        self.expire(NOW + 5002)
        self.assertEqual(self.left_lately(NOW + 5002 + 59), 2)
        self.txn.execute("UPDATE Alarm SET cleared_at = 6000 WHERE cleared_at = 0")
        self.assertEqual(self.left_lately(NOW + 5002 + 65), 0)

    def test_edits_of_others_do_not_count(self) -> None:
        self.put(A, B)
        self.successResultOf(self.store.store(Batch({}, {(PAY, A): "ann"})))
        self.assertEqual(self.left_lately(NOW + 36), 0)

    def look(self, now: float) -> Look:
        self.database.set_clock(now)
        look: Look = self.successResultOf(self.store.look(5.0))
        return look

    def test_look_finds_silent_hosts_and_alarms_by_the_clock_of_the_database(self) -> None:
        self.put(A, B)
        self.assertTrue(self.look(NOW + 34).quiet)
        look = self.look(NOW + 36)
        self.assertAlmostEqual(look.now, NOW + 36, places=3)
        self.assertFalse(look.quiet)
        self.expire(look.now, A)
        self.put(B, now=NOW + 36)
        self.assertFalse(self.look(NOW + 37).quiet, "the alarm is to be cleared")
        self.expire(NOW + 37)
        self.assertTrue(self.look(NOW + 38).quiet)

    def test_shortened_lease_ends_a_ttl_from_now_and_others_when_they_did(self) -> None:
        self.put(A)
        self.put(B, now=NOW - 3600)
        self.database.set_clock(NOW - 3599)
        self.successResultOf(self.store.shorten())
        self.assertEqual(self.expire(NOW - 3564.5)[1], [Silence(PAY, 1, (B,))])
        self.assertEqual(self.expire(NOW - 3563.5)[1], [Silence(PAY, 0, (B, A))])

    def test_lease_of_a_host_that_sql_removed_ends(self) -> None:
        self.put(A)
        self.txn.execute("DELETE FROM RouteData")
        self.assertEqual(self.expire(NOW + 100), (Expired({}, {}), []))
        self.assertEqual(self.successResultOf(self.store.places()), set())
