"""Envoy's and Prometheus' formats."""

from twisted.trial.unittest import SynchronousTestCase

from lars.gateway.http.discovery import ENDPOINTS, discovery_response, prometheus_targets
from lars.route import ModuleId
from tests.unit.gateway.routes import host, route

A, B, C = host("10.0.0.1:80", 50), host("10.0.0.2:80", ejected=True), host("10.0.0.3:80", 0)


class EnvoyTests(SynchronousTestCase):
    def test_an_assignment_has_states_and_weights(self) -> None:
        response = discovery_response({"1.1": route(A, B)})
        self.assertEqual(response["type_url"], ENDPOINTS)
        [assignment] = response["resources"]
        self.assertEqual((assignment["@type"], assignment["cluster_name"]), (ENDPOINTS, "1.1"))
        [locality] = assignment["endpoints"]
        found = [
            (
                e["endpoint"]["address"]["socket_address"],
                e["health_status"],
                e["load_balancing_weight"],
            )
            for e in locality["lb_endpoints"]
        ]
        self.assertEqual(
            found,
            [
                ({"address": "10.0.0.1", "port_value": 80}, "HEALTHY", 50),
                ({"address": "10.0.0.2", "port_value": 80}, "UNHEALTHY", 100),
            ],
        )

    def test_a_drained_host_is_left_out_while_others_take_calls(self) -> None:
        def ports(*hosts: object) -> int:
            [assignment] = discovery_response({"1.1": route(*hosts)})["resources"]  # type: ignore[arg-type]
            return len(assignment["endpoints"][0]["lb_endpoints"])

        self.assertEqual(ports(A, C), 1)
        self.assertEqual(ports(C), 1)

    def test_a_module_without_hosts_is_an_empty_cluster(self) -> None:
        [assignment] = discovery_response({"1.1": route()})["resources"]
        self.assertEqual(assignment["endpoints"], [])

    def test_the_version_changes_with_what_is_assigned_and_with_nothing_else(self) -> None:
        def version(*hosts: object) -> str:
            found: str = discovery_response({"1.1": route(*hosts)})["version_info"]  # type: ignore[arg-type]
            return found

        self.assertEqual(version(A, B), version(B, A))
        different = [version(), version(A), version(A, B), version(A, host("10.0.0.2:80")), version(B)]
        self.assertEqual(len(set(different)), 5)


class PrometheusTests(SynchronousTestCase):
    def test_a_group_for_each_module_and_state(self) -> None:
        other = route(C, module=ModuleId(2, 7))
        self.assertEqual(
            prometheus_targets([route(A, B, C), other]),
            [
                {
                    "targets": ["10.0.0.1:80", "10.0.0.3:80"],
                    "labels": {"__meta_lars_modid": "1", "__meta_lars_cmdid": "1", "__meta_lars_state": "healthy"},
                },
                {
                    "targets": ["10.0.0.2:80"],
                    "labels": {"__meta_lars_modid": "1", "__meta_lars_cmdid": "1", "__meta_lars_state": "ejected"},
                },
                {
                    "targets": ["10.0.0.3:80"],
                    "labels": {"__meta_lars_modid": "2", "__meta_lars_cmdid": "7", "__meta_lars_state": "healthy"},
                },
            ],
        )
