"""What the integrations share: modules as names, which host an attempt calls, and which requests may be sent twice."""

import random
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache
from typing import Protocol

from lars.client.host import Host
from lars.client.retrying import DEFAULT_ATTEMPTS
from lars.errors import InvalidRoute, SettingsError
from lars.route import ModuleId, module_id

SUFFIX = ".lars"
"""What the name of a module ends in: 1.1.lars is module (1, 1)."""

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""The methods of requests that may be sent a second time (RFC 9110, 9.2.2)."""


class BlockingClient(Protocol):
    """What the integrations need of lars.client.LarsClient."""

    def get_host(self, modid: int, cmdid: int) -> Host: ...
    def get_route(self, modid: int, cmdid: int) -> list[Host]: ...
    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None: ...


class AwaitingClient(Protocol):
    """What the integrations need of lars.client.asyncio.LarsClient."""

    def get_host(self, modid: int, cmdid: int) -> Awaitable[Host]: ...
    def get_route(self, modid: int, cmdid: int) -> Awaitable[list[Host]]: ...
    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None: ...


@lru_cache(1024)
def module_of(name: str) -> ModuleId | None:
    """ "1.1.lars" -> (1, 1); None for a name of something else. Raises InvalidRoute for one that names no module."""
    if not name.endswith(SUFFIX):
        return None
    modid, _dot, cmdid = name.removesuffix(SUFFIX).partition(".")
    if not (modid.isascii() and modid.isdigit() and cmdid.isascii() and cmdid.isdigit()):
        raise InvalidRoute(f"{name} names no module: write MODID.CMDID{SUFFIX}, such as 1.1{SUFFIX}")
    return module_id(int(modid), int(cmdid))


def bare_name(host: str) -> str:
    """A Host header without its port: what a server's certificate is checked against."""
    return host.partition(":")[0]


def checked_attempts(attempts: int) -> int:
    """The attempts; raises SettingsError if there are none."""
    if attempts < 1:
        raise SettingsError(f"attempts {attempts} is out of range: give 1 or more")
    return attempts


def choose(client: BlockingClient, module: ModuleId, tried: Collection[Host]) -> Host:
    """The host for the next attempt: one that was not tried, while the route has one. Raises as get_host."""
    for _ in range(len(tried) + 1):
        host = client.get_host(*module)
        if host not in tried:
            return host
    return _other(client.get_route(*module), tried) or host


async def choose_async(client: AwaitingClient, module: ModuleId, tried: Collection[Host]) -> Host:
    """As `choose`."""
    for _ in range(len(tried) + 1):
        host = await client.get_host(*module)
        if host not in tried:
            return host
    return _other(await client.get_route(*module), tried) or host


def _other(route: list[Host], tried: Collection[Host]) -> Host | None:
    others = [host for host in route if host not in tried]
    return random.choice(others) if others else None


def server_error(status: int) -> bool:
    """Default of what is a failure of the host: an HTTP status of 500 or above."""
    return status >= 500


IsFailure = Callable[[int], bool]
"""Whether an HTTP status is a failure of the host."""

__all__ = [
    "DEFAULT_ATTEMPTS",
    "IDEMPOTENT",
    "SUFFIX",
    "AwaitingClient",
    "BlockingClient",
    "IsFailure",
    "bare_name",
    "checked_attempts",
    "choose",
    "choose_async",
    "module_of",
    "server_error",
]
