"""What `pip install lars-balancer` brings is enough for a business process (docs/operations.md, what to install)."""

import subprocess
import sys
import tomllib
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]

LIGHT = "lars.client", "lars.client.asyncio", "lars.client.registration"
"""What business processes import; lars.client.twisted needs Twisted, as its user does."""


class LightInstallTests(SynchronousTestCase):
    def imported(self, *modules: str) -> set[str]:
        """The packages outside the standard library that a fresh interpreter imports with these modules."""
        program = f"import sys, {', '.join(modules)}; print(*(name.partition('.')[0] for name in sys.modules))"
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        )
        return {name for name in done.stdout.split() if name not in sys.stdlib_module_names} - {"__main__"}

    def test_clients_import_protobuf_alone(self) -> None:
        names = {name for name in self.imported(*LIGHT) if not name.startswith(("_", "sitecustomize"))}
        self.assertEqual(names, {"google", "lars"})

    def test_protobuf_alone_is_required(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        self.assertEqual([line.partition(">")[0] for line in project["dependencies"]], ["protobuf"])
        self.assertLess({"services", "cli", "twisted", "all"}, set(project["optional-dependencies"]))
