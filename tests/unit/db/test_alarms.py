"""The alarm store: an alarm is raised and cleared once, and its webhook posts are due until they have an outcome."""

from lars.db.alarms import GIVEN_UP, POSTED, WAITING, Alarm, AlarmStore, CallerSeen, HostCalls, HostStates, Subject
from tests.unit.db.memory import StoreCase


def alarm(webhook: str = "", rule: str = "errors") -> Alarm:
    return Alarm(0, rule, "error_rate", Subject(1, 1), "half of the calls fail", 1000, 0, webhook, 0, 0)


class AlarmStoreTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = AlarmStore(self.database)

    def raised(self, webhook: str = "") -> tuple[Alarm, bool]:
        stored: Alarm
        stored, is_new = self.successResultOf(self.store.raised(alarm(webhook)))
        return stored, bool(is_new)

    def test_active_alarm_is_not_raised_again(self) -> None:
        (first, is_new), (second, is_new_again) = self.raised(), self.raised()
        self.assertEqual((first, is_new, is_new_again), (second, True, False))

    def test_alarm_is_cleared_once(self) -> None:
        stored, _ = self.raised()
        cleared, was_active = self.successResultOf(self.store.cleared(stored.id, 2000))
        self.assertEqual((cleared.cleared_at, was_active), (2000, True))
        again, was_active = self.successResultOf(self.store.cleared(stored.id, 3000))
        self.assertEqual((again.cleared_at, was_active), (2000, False))

    def test_cleared_alarm_can_be_raised_again(self) -> None:
        stored, _ = self.raised()
        self.successResultOf(self.store.cleared(stored.id, 2000))
        _, is_new = self.raised()
        self.assertTrue(is_new)

    def test_active_alarms_come_with_those_cleared_since(self) -> None:
        stored, _ = self.raised()
        self.successResultOf(self.store.cleared(stored.id, 2000))
        active, _ = self.raised()
        for since, ids in ((None, [active.id]), (2001, [active.id]), (2000, [stored.id, active.id])):
            self.assertEqual([found.id for found in self.successResultOf(self.store.alarms(since))], ids)

    def test_alarm_without_a_webhook_has_no_post_due(self) -> None:
        stored, _ = self.raised()
        self.assertEqual((stored.raise_told, stored.clear_told), (POSTED, POSTED))
        self.assertEqual(self.successResultOf(self.store.to_post()), [])

    def test_post_of_the_raise_and_of_the_clear_are_due_until_their_outcome(self) -> None:
        stored, _ = self.raised("https://example.com/hook")
        self.assertEqual((stored.raise_told, stored.clear_told), (WAITING, WAITING))
        self.assertEqual(self.successResultOf(self.store.to_post()), [stored])
        self.successResultOf(self.store.mark_posted(stored.id, False, POSTED))
        self.assertEqual(self.successResultOf(self.store.to_post()), [])
        self.successResultOf(self.store.cleared(stored.id, 2000))
        [due] = self.successResultOf(self.store.to_post())
        self.assertEqual((due.id, due.clear_told), (stored.id, WAITING))
        self.successResultOf(self.store.mark_posted(stored.id, True, GIVEN_UP))
        self.assertEqual(self.successResultOf(self.store.to_post()), [])


class MeasurementTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = AlarmStore(self.database)

    def test_calls_are_summed_by_host_or_by_module_from_a_minute_on(self) -> None:
        self.txn.execute_many(
            "INSERT INTO ServerCallHistory (minute, modid, cmdid, ip, port, succ_cnt, err_cnt, approximate) "
            "VALUES (?, 1, 1, ?, 80, ?, ?, 0)",
            [(0, 5, 100, 100), (60, 5, 1, 2), (120, 5, 10, 20), (120, 6, 3, 4)],
        )
        by_host = self.successResultOf(self.store.calls(119, per_host=True))
        self.assertEqual(sorted(by_host), [HostCalls(1, 1, 5, 80, 11, 22), HostCalls(1, 1, 6, 80, 3, 4)])
        self.assertEqual(self.successResultOf(self.store.calls(119, per_host=False)), [HostCalls(1, 1, 0, 0, 14, 26)])

    def test_states_count_callers_that_have_reported_since(self) -> None:
        self.txn.execute_many(
            "INSERT INTO ServerCallStatus (modid, cmdid, ip, port, caller, succ_cnt, err_cnt, ts, overload) "
            "VALUES (1, 1, 5, 80, ?, 0, 0, ?, ?)",
            [(1, 100, "1"), (2, 100, "0"), (3, 99, "1")],
        )
        self.assertEqual(self.successResultOf(self.store.states(100)), [HostStates(1, 1, 5, 80, 2, 1)])

    def test_silent_callers_are_those_seen_before(self) -> None:
        self.txn.execute_many("INSERT INTO CallerSeen (caller, ts) VALUES (?, ?)", [(1, 99), (2, 100)])
        self.assertEqual(self.successResultOf(self.store.callers_seen(100)), [CallerSeen(1, 99)])
