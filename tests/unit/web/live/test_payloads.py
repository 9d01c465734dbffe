"""What live pages are sent."""

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.db.host_states import HostState, Watched
from lars.db.modules import Module
from lars.db.reports import HostSeenBy
from lars.host_condition import Condition
from lars.host_record import PLAIN, Drain, HostChange
from lars.route import HostAddress
from lars.web.live.host_stats import host_stats
from lars.web.live.payloads import Overview, fleet_payload, module_payload
from tests.unit.web.fleet import A, B, D, M, fleet, watched

OVERVIEW = Overview(0, 100, 12.34, 0.5, 2, 1234, {}, fleet())


def payload(watched: Watched, number: int = 1) -> dict[str, Any]:
    return module_payload(watched, host_stats(watched), number)


class FleetPayloadTests(SynchronousTestCase):
    def test_figures_are_texts(self) -> None:
        payload = fleet_payload(OVERVIEW)
        self.assertEqual(
            {name: payload[name] for name in ("calls", "errors", "ejected", "hosts", "agents", "silent", "alarms")},
            {
                "calls": "12.3",
                "errors": "4.1%",
                "ejected": "1",
                "hosts": "1,234",
                "agents": "1",
                "silent": "0",
                "alarms": "0",
            },
        )

    def test_module_in_trouble_is_ejected_or_failing(self) -> None:
        trouble = fleet_payload(OVERVIEW)["trouble"]
        self.assertEqual(
            [(t["modid"], t["cmdid"], t["state"], t["ejected"], t["errors"]) for t in trouble],
            [(1, 2, "ejected", "1 / 3", "20.0%"), (9, 9, "failing", "0 / 1", "10.0%")],
        )

    def test_parts_change_with_agents_but_not_with_figures(self) -> None:
        parts = fleet_payload(OVERVIEW)["parts"]
        self.assertEqual(fleet_payload(replace(OVERVIEW, calls=99))["parts"], parts)
        self.assertNotEqual(fleet_payload(replace(OVERVIEW, fleet=replace(fleet(), agents=())))["parts"], parts)


class ModulePayloadTests(SynchronousTestCase):
    def test_each_host_has_its_figures(self) -> None:
        hosts = payload(watched())["hosts"]
        self.assertEqual(
            hosts["10.0.0.1:80"],
            {"state": "ejected", "by": [1, 2], "share": "40.0%", "portion": 40, "calls": "40", "errors": "25.0%"},
        )
        self.assertEqual(hosts["10.0.0.2:80"]["share"], "0.0%")

    def test_parts_change_with_the_hosts_of_the_route(self) -> None:
        now = watched()
        other = replace(now, module=replace(now.module, hosts=(*now.module.hosts, D)))
        self.assertNotEqual(payload(now)["parts"], payload(other)["parts"])
        self.assertEqual(payload(now)["parts"], payload(replace(now, calls={}))["parts"])

    def test_parts_change_with_the_records_of_the_hosts_and_with_the_settings(self) -> None:
        now = watched()
        drained = HostChange(drain=Drain(9000, "kernel update")).applied(PLAIN)
        for module in (replace(now.module, records={B: drained}), replace(now.module, settings='{"panic":false}')):
            self.assertNotEqual(payload(now)["parts"], payload(replace(now, module=module))["parts"])

    def test_parts_change_with_the_reason_why_a_host_is_out(self) -> None:
        now = watched()
        first, second = ({A: (HostSeenBy(Condition.EJECTED, 1, why, 80),)} for why in ("http 503", "http 504"))
        self.assertNotEqual(payload(replace(now, seen=first))["parts"], payload(replace(now, seen=second))["parts"])

    def test_page_has_its_hosts_alone_and_is_fetched_again_when_they_change(self) -> None:
        hosts = tuple(HostAddress(n, 80) for n in range(1, 251))
        now = Watched(Module(M, "", "", hosts), {}, {})
        self.assertEqual([len(payload(now, number)["hosts"]) for number in (1, 2, 3, 4)], [100, 100, 50, 0])
        ejected = Watched(now.module, {hosts[240]: HostState(1, 1, 90)}, {})
        self.assertIn(str(hosts[240]), payload(ejected)["hosts"])
        self.assertNotEqual(payload(now)["parts"], payload(ejected)["parts"])
