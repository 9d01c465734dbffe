"""slowest.txt names integration tests that there are, and CONTRIBUTING.md names the same."""

import ast
import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]
NAMES = (ROOT / "tests" / "integration" / "slowest.txt").read_text(encoding="utf-8").split()


class SlowestTests(SynchronousTestCase):
    def test_each_is_there(self) -> None:
        missing = []
        for name in NAMES:
            path, *_, function = name.split("::")
            tree = (
                ast.parse((ROOT / path).read_text(encoding="utf-8")) if (ROOT / path).exists() else ast.Module([], [])
            )
            functions = {
                node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            if function not in functions:
                missing.append(name)
        self.assertEqual(missing, [], "are in slowest.txt, but do not exist")

    def test_contributing_names_the_same(self) -> None:
        table = re.findall(
            r"^\| \d+ \| `(\w+)` \|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE
        )
        self.assertEqual(table, [name.split("::")[-1] for name in NAMES])
