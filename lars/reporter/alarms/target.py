"""How a rule's conf names its webhook: the URL, and the headers with their secrets (docs/design/reporter.md, webhooks).

Errors name neither URL, header value nor content of a file, since they are logged.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from lars.errors import SettingsError

MAX_URL = 1024
"""Characters in a webhook's URL."""

Headers = tuple[tuple[str, str], ...]
"""Names and values, in order."""

_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*\S)?)[ \t]*")
"""A field line of RFC 9110, section 5."""

_RESERVED = frozenset({"content-length", "content-type", "host", "transfer-encoding", "connection"})
"""Headers that are lars-reporter's own."""


def url(text: str) -> str:
    """An http or https URL, possibly with user and password."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or len(text) > MAX_URL or any(character.isspace() for character in text):
        raise SettingsError(f"is not an http:// or https:// URL with a host, of at most {MAX_URL} characters")
    return text


def header(text: str) -> Headers:
    """One header, as "Name: value"."""
    match = _HEADER.fullmatch(text.strip())
    if match is None:
        raise SettingsError("is not a header: write it as Name: value")
    if match[1].lower() in _RESERVED:
        raise SettingsError(f"{match[1]} is set by lars-reporter: leave it out")
    return ((match[1], match[2]),)


def _headers_file(path: str) -> Headers:
    lines = [line for line in _read(path).splitlines() if line.strip() and not line.startswith("#")]
    try:
        return tuple(pair for line in lines for pair in header(line))
    except SettingsError as error:
        raise SettingsError(f"a line of {path!r} {error}") from None


def _credentials_file(path: str) -> Headers:
    user, colon, password = _read(path).strip("\r\n").partition(":")
    if not colon or not user or "\n" in password:
        raise SettingsError(f"{path!r} does not hold one line as user:password")
    return (_basic(user, password),)


def _url_file(path: str) -> str:
    try:
        return url(_read(path).strip())
    except SettingsError as error:
        raise SettingsError(f"what {path!r} holds {error}" if "http" in str(error) else str(error)) from None


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot read {path!r}: {error.strerror}") from None
    except ValueError:
        raise SettingsError(f"cannot read {path!r}: it is not text") from None


def _basic(user: str, password: str) -> tuple[str, str]:
    """The header of Basic authentication (RFC 7617)."""
    return "Authorization", f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


KEYS: Mapping[str, Callable[[str], str | Headers]] = {
    "webhook": url,
    "webhook_file": _url_file,
    "webhook_header": header,
    "webhook_headers_file": _headers_file,
    "webhook_credentials_file": _credentials_file,
}
"""The keys of a rule that say where it posts, and how each is read."""


def target(values: Mapping[str, str | Headers]) -> tuple[str, Headers]:
    """The URL without user and password, and the headers, from the values of KEYS; raises SettingsError."""
    if values.get("webhook") and values.get("webhook_file"):
        raise SettingsError("webhook: webhook_file names the URL too: leave one of them out")
    text = str(values.get("webhook") or values.get("webhook_file") or "")
    headers = [pair for key in KEYS if isinstance(pairs := values.get(key, ()), tuple) for pair in pairs]
    if headers and not text:
        raise SettingsError("webhook: is missing, although headers for it are set")
    parts = urlsplit(text)
    userinfo, at, place = parts.netloc.rpartition("@")
    if at:
        user, _colon, password = userinfo.partition(":")
        headers.append(_basic(unquote(user), unquote(password)))
    names = [name.lower() for name, _value in headers]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise SettingsError(f"webhook: the header {twice.title()} is set twice: leave one of them out")
    return urlunsplit(parts._replace(netloc=place)), tuple(headers)
