"""Names that people gave modids and cmdids, as labels of domain names. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST = 63
"""Characters of a label (RFC 1035, 2.3.4)."""

_OTHERS = re.compile(r"[^a-z0-9]+")


def label_of(name: str) -> bytes:
    """ "Payment service" -> b"payment-service"; empty where the name makes no label.

    Letters become lower-case, and whatever is neither a letter nor a digit of ASCII a hyphen. A number is no label: it
    would hide the id.
    """
    label = _OTHERS.sub("-", name.lower()).strip("-")
    return b"" if label.isdigit() or not 0 < len(label) <= LONGEST else label.encode("ascii")


def ids_by_label(names: Mapping[int, str]) -> dict[bytes, int]:
    """The number that each label stands for; a label that several numbers share stands for none."""
    found: dict[bytes, int] = {}
    shared = set()
    for number, name in names.items():
        label = label_of(name)
        if label and found.setdefault(label, number) != number:
            shared.add(label)
    return {label: number for label, number in found.items() if label not in shared}


@dataclass(slots=True)
class Labels:
    """The labels that are known now; replaced as a whole when the names are read again."""

    modids: Mapping[bytes, int] = field(default_factory=dict)
    cmdids: Mapping[bytes, int] = field(default_factory=dict)
