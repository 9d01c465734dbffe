"""tests/unit mirrors lars/: the tests of lars/dns/table.py are in tests/unit/dns/test_table.py.

A module may have further tests in test_MODULE_TOPIC.py. covered_elsewhere.txt lists what has no unit test of its own, a
line each: a module or a folder of lars/ (its modules together), and the test files that cover it. Tests directly in
tests/unit may also be about the repository; those in tests/unit/bench are named after a module anywhere in bench/, and
those in tests/unit/drill after one anywhere in tests/drill. Files that do not begin with `test_` hold what tests share.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "tests" / "unit"
LIST = UNIT / "covered_elsewhere.txt"

EXEMPT = frozenset({"__init__.py", "__main__.py", "lars_pb2.py"})
"""Files without code of their own: docstrings, one call, what a generator wrote."""


def listed() -> dict[str, list[str]]:
    """What covered_elsewhere.txt says: test files by module or folder."""
    lines = [line.split() for line in LIST.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert len({words[0] for words in lines}) == len(lines), "a line appears twice"
    return {words[0]: words[1:] for words in lines}


def unit_test_of(module: str) -> Path:
    """Where the unit test of a module is, or would be."""
    path = Path(module).relative_to("lars")
    return UNIT / path.parent / f"test_{path.name}"


def modules() -> Iterator[str]:
    """The modules of lars/, by their path from the top."""
    for path in sorted((ROOT / "lars").rglob("*.py")):
        if path.name not in EXEMPT:
            yield str(path.relative_to(ROOT))


def unit_tests() -> Iterator[Path]:
    yield from sorted(UNIT.rglob("test_*.py"))


def mirrored(test: Path) -> bool:
    """Whether a test file is named after a module in the same place."""
    words = test.stem.split("_")[1:]
    names = ["_".join(words[:length]) for length in range(1, len(words) + 1)]
    place = test.parent.relative_to(UNIT)
    if place.parts[0] == "bench":
        return any(list((ROOT / "bench").rglob(f"{name}.py")) for name in names)
    if place.parts[0] == "drill":
        return any(list((ROOT / "tests" / "drill").rglob(f"{name}.py")) for name in names)
    return any((ROOT / "lars" / place / f"{name}.py").exists() for name in names)


class MirrorTests(SynchronousTestCase):
    def test_every_module_has_its_unit_test_or_is_listed(self) -> None:
        missing = [module for module in modules() if not unit_test_of(module).exists() and module not in listed()]
        self.assertEqual(missing, [], f"have neither a unit test nor a line in {LIST.name}")

    def test_listed_modules_exist_and_have_no_unit_test(self) -> None:
        known = {*modules()}
        stale = [
            entry
            for entry in listed()
            if (entry not in known or unit_test_of(entry).exists()) and not entry.endswith("/")
        ]
        self.assertEqual(stale, [], f"lines of {LIST.name} to be deleted")

    def test_listed_tests_exist(self) -> None:
        wrong = [
            f"{entry}: {' '.join(tests) or 'no test'}"
            for entry, tests in listed().items()
            if not (ROOT / entry).exists() or not tests or not all((ROOT / test).is_file() for test in tests)
        ]
        self.assertEqual(wrong, [])

    def test_every_unit_test_mirrors_a_module_or_is_listed(self) -> None:
        allowed = {test for entry, tests in listed().items() for test in tests if entry.endswith("/")}
        strays = [
            str(test.relative_to(ROOT))
            for test in unit_tests()
            if test.parent != UNIT and not mirrored(test) and str(test.relative_to(ROOT)) not in allowed
        ]
        self.assertEqual(strays, [], "are named after no module")

    def test_unit_tests_are_such_that_trial_runs_them_all(self) -> None:
        """Trial passes over functions, and over folders that are no packages."""
        functions = [
            f"{test.relative_to(ROOT)}: {node.name}"
            for test in unit_tests()
            for node in ast.parse(test.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
        ]
        folders = [str(test.parent) for test in unit_tests() if not (test.parent / "__init__.py").exists()]
        self.assertEqual(functions + folders, [])
