"""What a setting's text may be: parsers of numbers, periods, endpoints and paths.

Each raises SettingsError, which quotes the text, for what it does not accept.
"""

import re
from collections.abc import Callable
from pathlib import Path

from twisted.internet.endpoints import serverFromString

from lars.errors import SettingsError

_IN_BRACKETS = re.compile(r"(?<==)\[([0-9A-Fa-f:.]+)\](?=:|$)")
"""An IPv6 address in brackets, as the value of an endpoint's option."""


def integer(low: int, high: int) -> Callable[[str], int]:
    """A parser of decimal numbers from low to high."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise SettingsError(f"{text!r} is not a number from {low} to {high}")
        return value

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    """A parser of numbers from low to high."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise SettingsError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return parse


def seconds(text: str) -> float:
    """A period in seconds: 0.01 to 31,536,000 (a year)."""
    return number(0.01, 31_536_000)(text)


def ratio(text: str) -> float:
    """A ratio: 0 to 1."""
    return number(0, 1)(text)


def endpoint(text: str) -> str:
    """A Twisted server endpoint string, such as tcp:7778; parsed here, opened later.

    An IPv6 address may be in brackets, as in tcp:7778:interface=[::1]; Twisted wants its colons escaped.
    """
    text = _IN_BRACKETS.sub(lambda found: found[1].replace(":", "\\:"), text)
    try:
        serverFromString(None, text)
    except Exception as error:  # the parsers are plugins and may raise anything
        raise SettingsError(
            f"{text!r} is not a server endpoint ({error}): write one such as tcp:7778:interface=127.0.0.1"
        ) from None
    return text


def absolute_path(text: str) -> str:
    """A path, made absolute at once because a daemon changes its directory; empty stays empty."""
    try:
        return str(Path(text).expanduser().absolute()) if text else ""
    except (RuntimeError, ValueError) as error:  # ~unknown-user, or a NUL after ~
        raise SettingsError(f"{text!r} is not a path: {error}") from None


def site_url(text: str) -> str:
    """The URL of a site as browsers write it, without a slash at the end; empty stays empty."""
    url = text.strip().rstrip("/")
    if url and not url.startswith(("http://", "https://")):
        raise SettingsError(f"{text!r} is not the address of a site: write it as https://lars.example")
    return url


def text_of_file(path: str) -> str:
    """The text of a file without blanks around it, for a secret that must not show in `ps`."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, RuntimeError, ValueError) as error:  # ValueError: not UTF-8, or a NUL in the path
        raise SettingsError(f"file {path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
