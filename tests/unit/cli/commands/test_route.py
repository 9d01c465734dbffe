"""`lars route`, the group."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.commands.route import COMMANDS
from tests.unit.cli.command import run_here


class RouteGroupTests(SynchronousTestCase):
    def test_help_lists_its_commands_and_says_how_fast_an_edit_is(self) -> None:
        ended = run_here("route", "--help")
        for name, command in COMMANDS.items():
            self.assertRegex(ended.out, rf"\n  {name} +{command.help}")
        self.assertIn("reaches the agents within about a second", ended.out)
