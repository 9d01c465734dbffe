"""The line that a drain prints. The edits: tests/unit/cli/commands/test_route_drain.py, test_host.py."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.drains import described
from lars.db.routes import EditDone, RouteChanged
from lars.host_record import PLAIN, HostRecord
from lars.route import HostAddress, ModuleId

A, B = HostAddress(1, 80), HostAddress(2, 80)


def changed(module: ModuleId, *hosts: HostAddress) -> RouteChanged:
    return RouteChanged(module, (A, B), (A, B), tuple((host, PLAIN, HostRecord(0)) for host in hosts))


class DescribedTests(SynchronousTestCase):
    def test_hosts_are_counted_over_all_modules(self) -> None:
        one = changed(ModuleId(1, 1), A)
        self.assertEqual(described("draining", EditDone(7, (one,)), ": x"), "draining 1 host of (1, 1): x; version 7")
        both = EditDone(7, (one, changed(ModuleId(1, 2), A, B)))
        self.assertEqual(described("restored", both), "restored 3 hosts in 2 modules; version 7")
        self.assertEqual(described("restored", EditDone(7, ())), "nothing to change; version 7")
