"""Checks the relative links of every Markdown file in the repository, also those that no page of the build includes.

A link must lead to a file that exists and, after a `#`, to a heading of it (slugs as GitHub makes them).
"""

import itertools
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from sphinx.util import logging

_log = logging.getLogger(__name__)


def broken_links(root: Path) -> Iterator[str]:
    """A line for each link that leads nowhere."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=root, capture_output=True, check=True, text=True
    )
    for name in listed.stdout.splitlines():
        path = root / name
        if not path.exists():
            continue
        for target in _targets(path):
            place, _hash, anchor = unquote(target).partition("#")
            file = (path.parent / place).resolve() if place else path
            if not file.exists():
                yield f"{name}: link to {target}: there is no such file"
            elif anchor and file.suffix == ".md" and anchor not in _anchors(file):
                yield f"{name}: link to {target}: {file.name} has no such heading"


def _targets(path: Path) -> Iterator[str]:
    for block in MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8")):
        for token in block.children or ():
            target = token.attrs.get("href" if token.type == "link_open" else "src")
            if target and not re.match(r"[a-z]+:", str(target)):
                yield str(target)


@cache
def _anchors(path: Path) -> frozenset[str]:
    blocks = MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8"))
    titles = [block.content for before, block in itertools.pairwise(blocks) if before.type == "heading_open"]
    return frozenset(_slug(title) for title in titles)


def _slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.strip().lower().replace("`", "")).replace(" ", "-")


def _check(app: Any) -> None:
    for fault in broken_links(Path(app.srcdir).parent):
        _log.warning(fault)


def setup(app: Any) -> dict[str, object]:
    """Called by Sphinx."""
    app.connect("builder-inited", _check)
    return {"parallel_read_safe": True}
