"""The names of the gateway's domain: what each stands for. Pure (docs/design/gateway.md, names)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from lars.errors import InvalidRoute, SettingsError
from lars.gateway.dns.labels import Labels
from lars.route import ModuleId, format_ip, module_id, parse_ip

_LABEL = re.compile(rb"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(rb"0|[1-9][0-9]{0,9}")

MAX_DOMAIN = 150
"""Bytes of a domain: with a host's name below it, a name has at most 255 (RFC 1035, 2.3.4)."""


class Kind(Enum):
    """What a name stands for."""

    OUTSIDE = "a name that is not below the domain"
    NOTHING = "a name below the domain that stands for nothing"
    APEX = "the domain itself"
    PARENT = "a name that has none but names below it"
    MODULE = "a module: A, SRV"
    SERVICE = "the service of a module: SRV"
    HOST = "a host of a module: A"


@dataclass(frozen=True, slots=True)
class Owner:
    """What a name stands for; `module` where it has one, `ip` for a HOST."""

    kind: Kind
    module: ModuleId | None = None
    ip: int = 0


_OUTSIDE, _NOTHING, _APEX, _PARENT = (Owner(kind) for kind in (Kind.OUTSIDE, Kind.NOTHING, Kind.APEX, Kind.PARENT))


def parse_domain(text: str) -> str:
    """ "lars" or "Lars.Example." -> "lars.example.": lower case, with a dot at the end; raises SettingsError."""
    domain = text.strip().lower().removesuffix(".")
    try:
        labels = domain.encode("ascii").split(b".")
    except UnicodeEncodeError:
        labels = [b""]
    if len(domain) > MAX_DOMAIN or not all(_LABEL.fullmatch(label) for label in labels):
        raise SettingsError(f"{text!r} is not a domain: write it as lars. or lars.example.org.")
    return f"{domain}."


class Zone:
    """The domain and the names below it.

    CMDID.MODID is a module, _lars._tcp.CMDID.MODID its service (RFC 2782), and 10-0-0-5.CMDID.MODID the address of a
    host, which SRV records name as their target. A label may stand for CMDID or MODID. Names are compared without case
    (RFC 4343).

    Args:
        domain: as parse_domain returns it.
        labels: names of modids and cmdids.
    """

    def __init__(self, domain: str, labels: Labels) -> None:
        self.domain = domain.encode("ascii").removesuffix(b".")
        self._suffix = b"." + self.domain
        self._labels = labels

    def owner(self, name: bytes) -> Owner:
        """What a name without the dot at its end stands for."""
        lowered = name.lower()
        if lowered == self.domain:
            return _APEX
        if not lowered.endswith(self._suffix):
            return _OUTSIDE
        labels = lowered[: -len(self._suffix)].split(b".")
        modid = _number(labels[-1], self._labels.modids)
        if len(labels) > 4 or modid is None:
            return _NOTHING
        return self._below(labels[:-1], modid) if len(labels) > 1 else _PARENT

    def _below(self, labels: list[bytes], modid: int) -> Owner:
        *rest, last = labels
        cmdid = _number(last, self._labels.cmdids)
        try:
            module = module_id(modid, cmdid if cmdid is not None else -1)
        except InvalidRoute:
            return _NOTHING
        if not rest:
            return Owner(Kind.MODULE, module)
        if rest == [b"_lars", b"_tcp"]:
            return Owner(Kind.SERVICE, module)
        if rest == [b"_tcp"]:
            return Owner(Kind.PARENT, module)
        return _host(module, rest[0]) if len(rest) == 1 else _NOTHING

    def host_name(self, module: ModuleId, ip: int) -> bytes:
        """The name of a host's address."""
        label = format_ip(ip).replace(".", "-")
        return f"{label}.{module.cmdid}.{module.modid}".encode("ascii") + self._suffix


def _number(label: bytes, named: Mapping[bytes, int]) -> int | None:
    return int(label) if _NUMBER.fullmatch(label) else named.get(label)


def _host(module: ModuleId, label: bytes) -> Owner:
    try:
        ip = parse_ip(label.decode("ascii").replace("-", "."))
    except (InvalidRoute, UnicodeDecodeError):
        return _NOTHING
    return Owner(Kind.HOST, module, ip)
