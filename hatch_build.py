"""The README as the package index shows it: pictures and links that are relative lead nowhere there."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PICTURE = re.compile(r"^!\[[^\]]*\]\((?!https?:)[^)]*\)\n+", re.MULTILINE)
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|#)([^)]*)\)")


class ReadmeHook(MetadataHookInterface):
    """Leaves such pictures out, and names the file of the source distribution instead of linking to it."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Sets the long description."""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = LINK.sub(lambda link: _named(*link.groups()), PICTURE.sub("", readme))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def _named(text: str, file: str) -> str:
    return text if text == file else f"{text} ({file})"
