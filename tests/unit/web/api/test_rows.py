"""Rows of the database as JSON."""

from dataclasses import replace
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from lars.db.agents import Agent
from lars.db.alarms import Alarm
from lars.db.audit import AuditRow, Edit
from lars.db.measurements import Subject
from lars.db.report_rows import AgentFacts
from lars.db.routes import EditDone, RouteChanged
from lars.host_record import PLAIN, Drain, HostChange, HostRecord
from lars.web.api.rows import as_agent, as_alarm, as_edit, as_edited, as_module
from tests.unit.web.fleet import A, B, C, M, watched

ALARM = Alarm(1, "lost", "silent_caller", Subject(caller=A.ip), "no report for 130 s", 0, 0, "", 1, 1)


class RowsTests(SynchronousTestCase):
    def test_host_that_registered_itself_has_a_lease(self) -> None:
        module = as_module(watched().module)
        self.assertEqual((module["modid"], module["cmdid"], module["modid_name"]), (1, 2, "pay"))
        first, _second, third = cast(list[dict[str, object]], module["hosts"])
        plain = {"weight": 100, "zone": "", "tags": [], "note": "", "drain": None}
        self.assertEqual(
            first, {"host": "10.0.0.1:80", "ip": "10.0.0.1", "port": 80, "ttl": None, "owner": None, **plain}
        )
        self.assertEqual((third["ttl"], third["owner"]), (30, "api:lea/scaler"))

    def test_what_an_agent_does_not_say_is_null(self) -> None:
        found = as_agent(Agent(A.ip, 90, 0))
        said = {name: value for name, value in found.items() if value is not None}
        self.assertEqual(said, {"ip": "10.0.0.1", "seen_at": "1970-01-01T00:01:30Z", "clock_skew": 0})
        facts = AgentFacts(60, "shop-1", "1.2", "", "", "reporter:7779", "a = 1\nb = 2")
        found = as_agent(Agent(A.ip, 90, 0, facts))
        self.assertEqual((found["zone"], found["dns"], found["settings"]), ("", None, ["a = 1", "b = 2"]))

    def test_edit_lists_what_changed(self) -> None:
        done = EditDone(7, (RouteChanged(M, (A, B), (B, C)),))
        changed = {"modid": 1, "cmdid": 2, "added": [str(C)], "removed": [str(A)], "altered": [], "settings": False}
        self.assertEqual(as_edited(done), {"version": 7, "changed": [changed]})
        altered = RouteChanged(M, (A, B), (A, B), ((A, PLAIN, HostRecord(50)),), settings=("", '{"panic":false}'))
        (change,) = cast(list[dict[str, object]], as_edited(EditDone(8, (altered,)))["changed"])
        self.assertEqual((change["altered"], change["settings"]), ([str(A)], True))

    def test_host_has_its_record_and_module_its_settings(self) -> None:
        draining = HostChange(drain=Drain(60, "kernel update")).applied(HostRecord(50, "b", ("ssd",), "new disk"))
        for_good = HostChange(drain=Drain()).applied(PLAIN)
        records = {A: draining, B: for_good, C: HostRecord(5000, "East Coast", drained_weight=None)}
        module = as_module(replace(watched().module, records=records, settings='{"panic":false,"tea_break":true}'))
        self.assertEqual(module["settings"], {"panic": False})
        first, second, third = cast(list[dict[str, object]], module["hosts"])
        self.assertEqual((first["weight"], first["zone"], first["tags"], first["note"]), (0, "b", ["ssd"], "new disk"))
        self.assertEqual(first["drain"], {"until": "1970-01-01T00:01:00Z", "reason": "kernel update", "weight": 50})
        self.assertEqual(second["drain"], {"until": None, "reason": "", "weight": 100})
        self.assertEqual((third["weight"], third["zone"], third["drain"]), (100, "", None))
        far = replace(draining, drained_until=2**62)
        (host, *_rest) = cast(list[dict[str, Any]], as_module(replace(watched().module, records={A: far}))["hosts"])
        self.assertEqual(host["drain"]["until"], "9999-12-31T23:59:59Z")

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
