"""Imports point one way, and the reactor is a parameter (CONTRIBUTING.md, how code reads)."""

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"cli", "stack"}),
    frozenset({"gateway"}),
    frozenset({"agent", "dns", "reporter", "web", "client"}),
    frozenset({"wire", "db", "metrics", "balancing"}),
    frozenset({"runtime"}),
    frozenset({"settings"}),
    frozenset({""}),
)
"""The folders of lars/ from top to bottom; "" is lars/ itself. A folder imports itself and the layers below its own."""

REACTOR = ("lars/runtime/reactor.py", "lars/client/**/*.py", "lars/cli/**/*.py")
"""The files that may import the real reactor."""

PURE = (
    "lars/balancing/**/*.py",
    "lars/errors.py",
    "lars/module_settings.py",
    "lars/route.py",
    "lars/route_formats.py",
    "lars/dns/subscriptions.py",
    "lars/dns/table.py",
    "lars/gateway/http/bodies.py",
    "lars/gateway/http/discovery.py",
    "lars/gateway/route.py",
    "lars/reporter/alarms/rules.py",
    "lars/wire/frames.py",
)
"""The files, by pattern, that do no I/O: no reactor, socket, clock, thread or process."""

IMPURE = frozenset(
    {"asyncio", "multiprocessing", "select", "selectors", "socket", "subprocess", "threading", "time", "twisted"}
)


@cache
def imports() -> dict[str, frozenset[str]]:
    """Each file of lars/, by its path from the top, and the full names that it imports, wherever in it."""
    found = {}
    for file in sorted((ROOT / "lars").rglob("*.py")):
        names: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
            if isinstance(node, ast.Import):
                names.update(name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                names.update(f"{'.' * node.level}{node.module}.{name.name}" for name in node.names)
        found[str(file.relative_to(ROOT))] = frozenset(names)
    return found


def matching(patterns: tuple[str, ...]) -> set[str]:
    """The files that match any of the patterns."""
    return {str(file.relative_to(ROOT)) for pattern in patterns for file in ROOT.glob(pattern)}


def folder_of(name: str) -> str:
    """The folder of lars/ that a full name belongs to."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and (ROOT / "lars" / parts[1]).is_dir() else ""


def wrong(is_wrong: Callable[[str, str], bool]) -> list[str]:
    """The imports that a rule forbids, given the file and the full name."""
    return [f"{path} imports {name}" for path, names in imports().items() for name in names if is_wrong(path, name)]


class ImportTests(SynchronousTestCase):
    def test_every_folder_has_its_layer(self) -> None:
        folders = {path.parent.name for path in (ROOT / "lars").glob("*/__init__.py")}
        self.assertEqual(sorted(folders - frozenset().union(*LAYERS)), [], "not in LAYERS")

    def test_a_folder_imports_only_itself_and_the_layers_below(self) -> None:
        allowed = {folder: {folder}.union(*LAYERS[i + 1 :]) for i, layer in enumerate(LAYERS) for folder in layer}

        def upwards(path: str, name: str) -> bool:
            here = folder_of(path.removesuffix(".py").replace("/", "."))
            return name.split(".")[0] == "lars" and folder_of(name) not in allowed[here]

        self.assertEqual(wrong(upwards), [])

    def test_the_gateway_knows_the_agent_by_its_client_alone(self) -> None:
        others = {"agent", "dns", "reporter", "web"}

        def around_it(path: str, name: str) -> bool:
            return path.startswith("lars/gateway/") and name.split(".")[0] == "lars" and folder_of(name) in others

        self.assertEqual(wrong(around_it), [])

    def test_imports_are_written_out(self) -> None:
        self.assertEqual(wrong(lambda _path, name: name.startswith(".")), [])

    def test_lars_imports_neither_benchmarks_nor_tests(self) -> None:
        self.assertEqual(wrong(lambda _path, name: name.split(".")[0] in ("bench", "examples", "tests")), [])

    def test_only_taps_clients_and_commands_import_the_reactor(self) -> None:
        may = matching(REACTOR)
        self.assertEqual(wrong(lambda path, name: name == "twisted.internet.reactor" and path not in may), [])

    def test_pure_files_import_no_io(self) -> None:
        pure = matching(PURE)
        self.assertEqual(wrong(lambda path, name: path in pure and name.split(".")[0] in IMPURE), [])

    def test_pure_files_that_are_named_exist(self) -> None:
        self.assertEqual([path for path in PURE if "*" not in path and not (ROOT / path).exists()], [])
