"""The alarm store: an alarm is raised and cleared once, and its webhook posts are due until they have an outcome."""

from lars.db.alarms import GIVEN_UP, MAX_TEXT, ORPHANED_AFTER, POSTED, WAITING, Alarm, AlarmStore
from lars.db.measurements import Subject
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
        self.assertEqual(self.successResultOf(self.store.to_post(2000)), [])

    def test_post_of_the_raise_and_of_the_clear_are_due_until_their_outcome(self) -> None:
        stored, _ = self.raised("https://example.com/hook")
        self.assertEqual((stored.raise_told, stored.clear_told), (WAITING, WAITING))
        self.assertEqual(self.successResultOf(self.store.to_post(2000)), [stored])
        self.successResultOf(self.store.mark_posted(stored.id, False, POSTED))
        self.assertEqual(self.successResultOf(self.store.to_post(2000)), [])
        self.successResultOf(self.store.cleared(stored.id, 2000))
        [due] = self.successResultOf(self.store.to_post(2000))
        self.assertEqual((due.id, due.clear_told), (stored.id, WAITING))
        self.successResultOf(self.store.mark_posted(stored.id, True, GIVEN_UP))
        self.assertEqual(self.successResultOf(self.store.to_post(2000)), [])

    def test_alarm_has_the_name_of_its_module_and_the_reason_of_its_clear(self) -> None:
        self.txn.execute("INSERT INTO ModIDConfig (modid, content) VALUES (1, 'shop')")
        self.txn.execute("INSERT INTO CmdIDConfig (cmdid, content) VALUES (1, 'pay')")
        stored, _ = self.raised()
        self.assertEqual((stored.module_name, stored.text_now), ("shop / pay", stored.text))
        cleared, _ = self.successResultOf(self.store.cleared(stored.id, 2000, "back to normal"))
        self.assertEqual(cleared.clear_reason, "back to normal")

    def test_figures_of_active_alarms_are_updated_and_shortened_to_their_column(self) -> None:
        stored, _ = self.raised()
        self.successResultOf(self.store.update({stored.id: "x" * 300}))
        [found] = self.successResultOf(self.store.alarms())
        self.assertEqual((found.text, found.text_now), (stored.text, "x" * MAX_TEXT))

    def claim(self, owner: str, ttl: float = 1000.0, *rules: str) -> list[str]:
        return sorted(self.successResultOf(self.store.claim(rules or ("errors",), owner, ttl)).owned)

    def test_rule_is_its_first_reporters_until_that_lets_go_or_is_late(self) -> None:
        self.assertEqual((self.claim("a"), self.claim("b"), self.claim("a")), (["errors"], [], ["errors"]))
        self.successResultOf(self.store.release("a"))
        self.assertEqual((self.claim("b"), self.claim("a")), (["errors"], []))
        self.claim("b", 0.0)
        self.assertEqual(self.claim("a"), ["errors"])

    def test_claim_from_before_the_databases_clock_was_set_back_does_not_last(self) -> None:
        self.claim("a", 3600.0)
        self.assertEqual(self.claim("b", 1000.0), [])
        self.assertEqual(self.claim("b", 17.0), ["errors"])

    def test_claim_tells_which_rules_some_reporter_has(self) -> None:
        self.claim("a", 1000.0, "errors", "down")
        self.claim("c", 0.0, "late")
        claim = self.successResultOf(self.store.claim(["errors", "mine"], "b", 1000))
        self.assertEqual((claim.owned, claim.attended), ({"mine"}, {"errors", "down", "mine"}))

    def test_alarm_is_an_orphan_when_no_reporter_has_had_its_rule_for_long(self) -> None:
        stored, _ = self.raised()
        now = self.txn.now()
        self.assertEqual(self.successResultOf(self.store.orphans(now)), [stored])
        self.claim("a", 5.0)
        for after, orphans in ((0, []), (ORPHANED_AFTER, []), (ORPHANED_AFTER + 60, [stored])):
            self.assertEqual(self.successResultOf(self.store.orphans(now + after)), orphans)
