"""The commands and their options."""

import io
from contextlib import redirect_stderr

from twisted.trial.unittest import SynchronousTestCase

from bench.command_line import COMMANDS, parser_of

FIGURES = {
    "agent": ["cycles", "memory", "checks", "growth"],
    "client": ["asking", "cached", "in-flight"],
    "clients": ["python", "cpp", "java"],
    "integrations": ["httpx"],
    "dns": ["edit", "fanout", "requests", "load", "reconnect"],
    "gateway": ["http", "dns"],
    "reporter": ["rows", "repeats", "age", "agents", "memory"],
    "scale": ["agents", "reports", "routes"],
    "web": ["pages", "registrations", "streams"],
}


class CommandLineTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.parser = parser_of(COMMANDS)

    def refused(self, *arguments: str) -> str:
        """What a command line that is wrong prints; its status must be 2."""
        printed = io.StringIO()
        with redirect_stderr(printed), self.assertRaises(SystemExit) as ended:
            self.parser.parse_args(arguments)
        self.assertEqual(ended.exception.code, 2)
        return printed.getvalue()

    def test_each_command_takes_its_figures_and_describes_them(self) -> None:
        for command, figures in FIGURES.items():
            options = self.parser.parse_args([command, *figures, "--small"])
            self.assertEqual((options.figures, options.small), (figures, True))
            for figure in figures:
                self.assertIn(f"\n  {figure} ", COMMANDS[command].description)

    def test_engine_is_both_except_for_the_console(self) -> None:
        defaults = {
            command: self.parser.parse_args([command]).engine
            for command in ("agent", "dns", "reporter", "scale", "web")
        }
        self.assertEqual(
            defaults, {"agent": "both", "dns": "both", "reporter": "both", "scale": "mariadb", "web": "mariadb"}
        )

    def test_unknown_figure_is_refused_with_those_that_there_are(self) -> None:
        self.assertIn(
            "no figure is called speed; there are pages, registrations, streams", self.refused("web", "speed")
        )

    def test_command_is_needed(self) -> None:
        self.assertIn("COMMAND", self.refused())

    def test_wire_takes_seconds_and_agent_minutes(self) -> None:
        self.assertEqual(self.parser.parse_args(["wire", "--seconds", "0.5"]).seconds, 0.5)
        self.assertEqual(self.parser.parse_args(["agent", "--soak-minutes", "2"]).soak_minutes, 2)
        self.assertFalse(self.parser.parse_args(["agent"]).soak)
