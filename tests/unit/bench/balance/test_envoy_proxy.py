"""The configuration of a real Envoy, and what its admin page says."""

import json

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.real.envoy import configuration, ejected_ports


def host(port: int, **health: object) -> dict[str, object]:
    """One host as /clusters?format=json shows it."""
    return {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}, "health_status": health}


class ConfigurationTests(SynchronousTestCase):
    def test_all_hosts_are_in_one_cluster_with_outlier_detection(self) -> None:
        conf = json.loads(json.dumps(configuration(1, 2, [3, 4])))
        (cluster,) = conf["static_resources"]["clusters"]
        (group,) = cluster["load_assignment"]["endpoints"]
        addresses = [each["endpoint"]["address"]["socket_address"] for each in group["lb_endpoints"]]
        self.assertEqual([address["port_value"] for address in addresses], [3, 4])
        self.assertEqual({address["address"] for address in addresses}, {"127.0.0.1"})
        self.assertIn("outlier_detection", cluster)
        self.assertEqual(conf["admin"]["address"]["socket_address"]["port_value"], 2)


class EjectedTests(SynchronousTestCase):
    def test_ejected_hosts_are_those_that_failed_the_outlier_check(self) -> None:
        hosts = [host(3, failed_outlier_check=True, eds_health_status="HEALTHY"), host(4, eds_health_status="HEALTHY")]
        page = {"cluster_statuses": [{"name": "hosts", "host_statuses": hosts}, {"name": "other"}]}
        self.assertEqual(ejected_ports(page), {3})

    def test_a_page_without_clusters_names_none(self) -> None:
        self.assertEqual(ejected_ports({}), set())
