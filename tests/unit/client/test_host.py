"""A host to call, as callers print it and keep it."""

from twisted.trial.unittest import SynchronousTestCase

from lars.client import Host
from lars.route import ModuleId, parse_host

MODULE = ModuleId(1, 1)
ADDRESS = parse_host("10.0.0.5:8080")


class HostTests(SynchronousTestCase):
    def test_host_reads_as_ip_and_port(self) -> None:
        host = Host(MODULE, ADDRESS)
        self.assertEqual((str(host), host.ip, host.port, host.module), ("10.0.0.5:8080", "10.0.0.5", 8080, (1, 1)))

    def test_equal_hosts_are_one_key(self) -> None:
        self.assertEqual(len({Host(MODULE, ADDRESS), Host(MODULE, ADDRESS)}), 1)
