"""The addresses of this machine."""

from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.this_machine import is_of_this_machine


class ThisMachineTests(SynchronousTestCase):
    def test_this_machine_has_loopback_addresses_and_not_those_for_documentation(self) -> None:
        self.assertTrue(is_of_this_machine("127.0.0.1"))
        self.assertTrue(is_of_this_machine("127.9.9.9"))
        self.assertFalse(is_of_this_machine("203.0.113.9"))

    def test_what_is_no_ipv4_address_is_none_of_its(self) -> None:
        for text in ("fd00::9", "no address"):
            self.assertFalse(is_of_this_machine(text), text)
