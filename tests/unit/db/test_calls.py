"""The call store: sums of calls."""

from lars.db.calls import Bucket, CallStore, ModuleCalls
from tests.unit.db.reports_case import MAIL, NEWS, PAY, A, B, ReportsCase


class CallStoreTests(ReportsCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = CallStore(self.database)

    def test_calls_are_summed_by_minute_module_and_step(self) -> None:
        self.calls(60, PAY, A, 1, 0)
        self.calls(120, PAY, A, 2, 1)
        self.calls(120, MAIL, B, 4, 0)
        self.assertEqual(self.successResultOf(self.store.minutes(120)), {120: (6, 1)})
        self.assertEqual(self.successResultOf(self.store.calls([PAY, NEWS], 60)), {PAY: ModuleCalls(3, 1)})
        self.assertEqual(
            sorted(self.successResultOf(self.store.history(PAY, 60, 120)), key=lambda bucket: bucket.at),
            [Bucket(0, A, 1, 0), Bucket(120, A, 2, 1)],
        )
