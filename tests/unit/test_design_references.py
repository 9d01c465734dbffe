"""Every reference to the design leads to a document and a heading that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]

PLACES = ("lars", "tests", "bench", "twisted", "sql", "conf", "proto", "docs", "examples", "clients", "run_lars")

TEXTS = frozenset({".py", ".pyi", ".md", ".sql", ".conf", ".proto", ".c", ".cpp", ".h", ".java", ".html", ".js", ""})

SKIPPED = frozenset({"build", "target", "__pycache__", "node_modules"})

NUMBERED = re.compile(r"\bdesign \d", re.IGNORECASE)

REFERENCE = re.compile(r"docs/design/([\w-]*\.md)(#[\w-]+)?(?:, ([^).;:\"`\]]*))?")
"""A file and either an anchor, as in a link, or after a comma a heading, up to a bracket or the end of the sentence."""


def texts() -> Iterator[tuple[str, str]]:
    """The name and the text of each file that may refer to the design, but for this one."""
    files = [path for place in PLACES for path in sorted((ROOT / place).rglob("*")) or [ROOT / place]]
    for path in [*files, *sorted(ROOT.glob("*.md"))]:
        parts = path.relative_to(ROOT).parts
        if path.is_file() and path.suffix in TEXTS and not SKIPPED & set(parts) and path != Path(__file__):
            yield "/".join(parts), path.read_text(encoding="utf-8", errors="replace")


def on_one_line(text: str) -> str:
    """The text with the line ends of docstrings and comments taken out, where a reference may be broken."""
    return re.sub(r"\s*\n[ \t]*(?:(?:#|//|--|\*) )?", " ", text)


def headings() -> dict[str, set[str]]:
    """The headings of each document of the design, in lower case."""
    found = {}
    for path in (ROOT / "docs" / "design").glob("*.md"):
        without_code = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        found[path.name] = {title.strip().lower() for title in re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)}
    return found


def leads_somewhere(reference: re.Match[str], known: dict[str, set[str]]) -> bool:
    """Whether a reference names a document and, if it names one, a heading of it."""
    name, anchor, heading = reference.groups()
    if name not in known:
        return False
    if anchor is not None:
        return anchor[1:] in {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in known[name]}
    return heading is None or heading.strip().lower() in known[name]


class References(SynchronousTestCase):
    """What the code, the tests and the documents refer to."""

    def test_each_names_a_document_and_a_heading_that_exist(self) -> None:
        known = headings()
        lost = [
            f"{name}: {reference[0]}"
            for name, text in texts()
            for reference in REFERENCE.finditer(on_one_line(text))
            if not leads_somewhere(reference, known)
        ]
        self.assertEqual("\n".join(lost), "")

    def test_none_is_a_number(self) -> None:
        self.assertEqual([name for name, text in texts() if NUMBERED.search(text)], [])

    def test_a_wrong_heading_is_noticed(self) -> None:
        known = {"agent.md": {"reports", "udp port"}}
        for text, leads in (
            ("(docs/design/agent.md, UDP port)", True),
            ("See docs/design/agent.md, reports.", True),
            ("docs/design/agent.md#udp-port", True),
            ("See docs/design/agent.md.", True),
            ("(docs/design/agent.md, ports)", False),
            ("(docs/design/agents.md, reports)", False),
            ("docs/design/agent.md#ports", False),
            ("# docs/design/agent.md,\n    # UDP port.", True),
        ):
            with self.subTest(text):
                reference = REFERENCE.search(on_one_line(text))
                assert reference is not None
                self.assertEqual(leads_somewhere(reference, known), leads)
