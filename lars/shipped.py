"""Where the files that come with Lars are: sql/ and conf/, in a checkout and in an installed wheel alike."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str, name: str) -> Path:
    """The path of a file of sql/ or conf/."""
    installed = _PACKAGE / "shipped" / folder / name
    return installed if installed.exists() else _PACKAGE.parent / folder / name
