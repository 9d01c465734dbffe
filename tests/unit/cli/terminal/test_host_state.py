"""The words for a host's state."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.terminal.host_state import STATE_STYLE, host_state


class HostStateTests(SynchronousTestCase):
    def test_host_is_healthy_or_ejected(self) -> None:
        self.assertEqual([host_state(ejected) for ejected in (False, True)], ["healthy", "ejected"])

    def test_each_state_has_a_style_of_its_own(self) -> None:
        self.assertNotEqual(STATE_STYLE[host_state(False)], STATE_STYLE[host_state(True)])
