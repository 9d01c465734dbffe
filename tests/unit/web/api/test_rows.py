"""Rows of the database as JSON."""

from dataclasses import replace
from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm
from lars.db.audit import AuditRow, Edit
from lars.db.measurements import Subject
from lars.db.routes import EditDone, RouteChanged
from lars.web.api.rows import as_alarm, as_edit, as_edited, as_module
from tests.unit.web.fleet import A, B, C, M, watched

ALARM = Alarm(1, "lost", "silent_caller", Subject(caller=A.ip), "no report for 130 s", 0, 0, "", 1, 1)


class RowsTests(SynchronousTestCase):
    def test_host_that_registered_itself_has_a_lease(self) -> None:
        module = as_module(watched().module)
        self.assertEqual((module["modid"], module["cmdid"], module["modid_name"]), (1, 2, "pay"))
        first, _second, third = cast(list[dict[str, object]], module["hosts"])
        self.assertEqual(first, {"host": "10.0.0.1:80", "ip": "10.0.0.1", "port": 80, "ttl": None, "owner": None})
        self.assertEqual((third["ttl"], third["owner"]), (30, "api:lea/scaler"))

    def test_edit_lists_what_changed(self) -> None:
        done = EditDone(7, (RouteChanged(M, (A, B), (B, C)),))
        changed = {"modid": 1, "cmdid": 2, "added": [str(C)], "removed": [str(A)]}
        self.assertEqual(as_edited(done), {"version": 7, "changed": [changed]})

    def test_what_does_not_apply_to_an_alarm_is_null(self) -> None:
        alarm = as_alarm(ALARM)
        self.assertEqual((alarm["host"], alarm["caller"], alarm["cleared_at"]), (None, "10.0.0.1", None))
        cleared = as_alarm(
            replace(ALARM, subject=Subject(1, 2, A.ip, 80), cleared_at=60, text_now="no report for 200 s")
        )
        self.assertEqual(
            (cleared["host"], cleared["caller"], cleared["cleared_at"]), ("10.0.0.1:80", None, "1970-01-01T00:01:00Z")
        )
        self.assertEqual((alarm["text_now"], cleared["text_now"]), ("no report for 130 s", "no report for 200 s"))

    def test_audit_has_before_and_after(self) -> None:
        row = AuditRow(3, 60, "web:lea", Edit("modid", 1, 0, "old", "new"))
        self.assertEqual(
            as_edit(row),
            {
                "id": 3,
                "at": "1970-01-01T00:01:00Z",
                "actor": "web:lea",
                "what": "modid",
                "modid": 1,
                "cmdid": 0,
                "before": "old",
                "after": "new",
                "version": 0,
            },
        )
