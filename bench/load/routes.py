"""The routes that benchmarks load: as many modules as wanted, all of whose frames have one size.

Every id, address, port, weight and zone takes the same number of bytes on the wire, so that a client can count
requests and answers by counting bytes. All hosts have weights and zones and all modules settings, which costs most.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.services.dns_client import Answer, request
from lars.db.routes import RouteEdit
from lars.host_record import HostChange
from lars.route import HostAddress, ModuleId

FIRST_PORT = 20_000
"""The port of every host to begin with; the edit numbered n changes it to FIRST_PORT + n."""

SETTINGS = '{"panic":false}'
"""The settings of every module."""

PER_MODID = 10_000
_FIRST_ID = 1_000


@dataclass(frozen=True, slots=True)
class Routes:
    """Modules, up to 100,000, with the same number of hosts each."""

    modules: int
    hosts: int = 10

    def module(self, index: int) -> ModuleId:
        """The index-th module."""
        return ModuleId(_FIRST_ID + index // PER_MODID, _FIRST_ID + index % PER_MODID)

    def index(self, module: ModuleId) -> int:
        """The index of a module: `module` reversed."""
        return (module.modid - _FIRST_ID) * PER_MODID + module.cmdid - _FIRST_ID

    @property
    def modids(self) -> range:
        """The modids that the modules have."""
        return range(_FIRST_ID, _FIRST_ID + (self.modules + PER_MODID - 1) // PER_MODID)

    def route(self, index: int, edit: int = 0) -> list[HostAddress]:
        """The hosts of the index-th module after the edit of that number, ordered."""
        first = (10 << 24) + index * self.hosts
        return [HostAddress(first + host, FIRST_PORT + edit) for host in range(self.hosts)]

    def is_route(self, answer: Answer, edit: int = 0) -> bool:
        """Whether an answer is just the route of its module after the edit of that number."""
        return answer.hosts == self.route(self.index(answer.module), edit)

    def rows(self) -> Iterator[tuple[int, int, int, int, int, str]]:
        """All rows of RouteData before any edit."""
        for index in range(self.modules):
            module = self.module(index)
            for host in self.route(index):
                yield *module, *host, *_record(host)

    def settings(self) -> Iterator[tuple[int, int, str]]:
        """modid, cmdid and settings of all modules."""
        return ((*self.module(index), SETTINGS) for index in range(self.modules))

    def edit(self, index: int, number: int) -> RouteEdit:
        """The edit of that number, of the index-th module."""
        change = {host: HostChange(*_record(host)) for host in self.route(index, number)}
        return RouteEdit(self.module(index), frozenset(change), replace=True, change=change)

    def requests(self, start: int, count: int) -> bytes:
        """GetRouteRequests for `count` modules from the start-th on, round and round, as frames."""
        return b"".join(request(self.module(index % self.modules)) for index in range(start, start + count))


def _record(host: HostAddress) -> tuple[int, str]:
    """A host's weight and zone."""
    return 50 + host.ip % 40, "abc"[host.ip % 3]


def edit_number(answer: Answer) -> int:
    """The number of the edit that made this route; 0 for one without hosts."""
    return answer.hosts[0].port - FIRST_PORT if answer.hosts else 0
