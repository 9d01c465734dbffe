"""What `lars` says where its command line is not installed."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.exit_status import REFUSED
from tests.unit.cli.command import environment

HIDDEN = """
import sys
from importlib.abc import MetaPathFinder

class Hidden(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError("No module named " + name, name=name)

sys.meta_path.insert(0, Hidden())
sys.argv = ["lars", *{arguments!r}]
from lars.cli.installed import main
main()
"""


class InstalledTests(SynchronousTestCase):
    def without(self, names: list[str], *arguments: str) -> tuple[int, str, str]:
        """Status and output of `lars` where these packages are not installed."""
        program = HIDDEN.format(names=names, arguments=arguments)
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=60
        )
        return done.returncode, done.stdout, done.stderr

    def test_without_extras_one_line_says_what_to_install(self) -> None:
        status, out, err = self.without(["click", "rich", "twisted"], "get-host", "1", "1")
        self.assertEqual((status, out), (REFUSED, ""))
        self.assertEqual(
            err, "lars: click is not installed, which the `lars` command needs: pip install 'lars-balancer[services]'\n"
        )

    def test_command_that_needs_services_says_so(self) -> None:
        status, out, err = self.without(["twisted"], "route", "list", "--db", "sqlite:////nowhere/lars.db")
        self.assertEqual((status, out), (REFUSED, ""))
        self.assertEqual(
            err, "lars: twisted is not installed, which this command needs: pip install 'lars-balancer[services]'\n"
        )

    def test_agent_commands_need_the_extra_cli_alone(self) -> None:
        services = ["argon2", "babel", "jinja2", "klein", "prometheus_client", "pymysql", "treq", "twisted", "zope"]
        for command in ("get-host", "get-route", "report", "explain", "top", "qps", "register", "simulate"):
            status, out, err = self.without(services, command, "--help")
            self.assertEqual((status, err), (0, ""), command)
            self.assertIn("Usage: lars", out)
