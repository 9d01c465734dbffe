"""What live pages are sent."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from lars.web.live.payloads import Overview, fleet_payload, module_payload
from tests.unit.web.fleet import D, fleet, watched

OVERVIEW = Overview(0, 100, 12.34, 0.5, 2, 1234, {}, fleet())


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
        hosts = module_payload(watched())["hosts"]
        self.assertEqual(
            hosts["10.0.0.1:80"],
            {"state": "ejected", "by": "1/2", "share": "40.0%", "portion": 40, "calls": "40", "errors": "25.0%"},
        )
        self.assertEqual(hosts["10.0.0.2:80"]["share"], "0.0%")

    def test_parts_change_with_the_hosts_of_the_route(self) -> None:
        now = watched()
        other = replace(now, module=replace(now.module, hosts=(*now.module.hosts, D)))
        self.assertNotEqual(module_payload(now)["parts"], module_payload(other)["parts"])
        self.assertEqual(module_payload(now)["parts"], module_payload(replace(now, calls={}))["parts"])
