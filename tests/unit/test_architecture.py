"""ARCHITECTURE.md names every file of lars/, and none that is not there.

The block under its heading "The house" has a line for each folder: its path from the top, which ends in "/", then any
text. Words of the text that end in ".py" are files of the folder. A deeper line goes on with the text. A file may have
a line of its own, which begins with its path.
"""

import re
from collections import defaultdict
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]

BLOCK = re.compile(
    r"^## The house\n\n(?:```\w*\n(?P<fenced>.*?)```|(?P<indented>(?: [^\n]*\n)+))", re.DOTALL | re.MULTILINE
)


def named(text: str) -> dict[str, set[str]]:
    """The folders that the block names, each with the files named in it; a path that is no folder stands for itself."""
    found: dict[str, set[str]] = defaultdict(set)
    block = BLOCK.search(text)
    assert block is not None, 'ARCHITECTURE.md has no block under "## The house"'
    lines = (block["fenced"] or block["indented"]).splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    folder = ""
    for line in lines:
        words = line.split()
        if line[margin : margin + 1].strip():
            path = words.pop(0)
            folder, _, file = path.rpartition("/")
            found[folder].update({file} - {""})
        found[folder].update(re.findall(r"[\w.]+\.py\b", " ".join(words)))
    return found


class ArchitectureTests(SynchronousTestCase):
    def test_every_file_of_lars_is_named(self) -> None:
        names = named((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
        missing = [
            str(path.relative_to(ROOT))
            for path in sorted((ROOT / "lars").rglob("*.py"))
            if path.name != "__init__.py" and path.name not in names[str(path.parent.relative_to(ROOT))]
        ]
        self.assertEqual(missing, [], "ARCHITECTURE.md, The house, does not name these")

    def test_what_is_named_exists(self) -> None:
        names = named((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
        stale = [
            f"{folder}/{name}"
            for folder, files in names.items()
            for name in ("", *sorted(files))
            if not (ROOT / folder / name).exists()
        ]
        self.assertEqual(stale, [], "ARCHITECTURE.md, The house, names these, which do not exist")

    def test_lines_continue_and_files_may_have_lines_of_their_own(self) -> None:
        indented = "    lars/       a.py, b.py (pure):\n                 c.py\n    lars/x.py    text\n    sql/   text"
        found = {"lars": {"a.py", "b.py", "c.py", "x.py"}, "sql": set()}
        self.assertEqual(named(f"## The house\n\n{indented}\n\nMore."), found)
        fenced = "\n".join(line.removeprefix("    ") for line in indented.splitlines())
        self.assertEqual(named(f"## The house\n\n```text\n{fenced}\n```\n\nMore."), found)
