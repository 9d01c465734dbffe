"""Which modules of a shard are forgotten, so that no local process fills it with random ones.

Pure: `now` (seconds, monotonic) is an argument. See docs/design/agent.md, directory.
"""

from collections.abc import Iterable

from lars.agent.module import Module

EMPTY_TTL = 60.0
"""Seconds without a request after which a module that lars-dns says is empty is forgotten."""

MAX_EMPTY = 10_000
"""Empty modules that a shard keeps."""

AT_ONCE = 5_000
"""Modules forgotten in one go: some 20 ms, for which business processes wait."""


def unused_modules(
    modules: Iterable[Module], now: float, ttl: float, max_empty: int = MAX_EMPTY, at_once: int = AT_ONCE
) -> list[Module]:
    """The modules to forget now, of all those of a shard.

    None of them has calls that are still to be taken. `ttl` is for modules with hosts, and for those that lars-dns
    has not answered yet; an empty one goes as if nobody had ever asked for it, and is asked for again when somebody
    does.
    """
    empty_ttl = min(ttl, EMPTY_TTL)
    empty, unused = [], []
    for module in modules:
        if module.is_empty:
            empty.append(module)
        elif now - module.used_at >= ttl and not module.has_calls:
            unused.append(module)
    if empty:
        empty.sort(key=lambda module: module.used_at)
        excess = len(empty) - max_empty
        unused += [
            module
            for place, module in enumerate(empty)
            if (place < excess or now - module.used_at >= empty_ttl) and not module.has_calls
        ]
    return unused[:at_once]
