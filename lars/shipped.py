"""The files of sql/ and conf/ that come with Lars, in a checkout and in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str, name: str) -> Path:
    """The path of a file in sql/ or conf/; it need not exist."""
    installed = _PACKAGE / "shipped" / folder / name
    return installed if installed.exists() else _PACKAGE.parent / folder / name
