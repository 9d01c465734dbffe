"""The modules of one shard, and the typed calls that every front end and every source of evidence makes.

Pure: `now` (seconds, monotonic) is an argument. See docs/design/agent.md, directory.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from lars.agent.forgetting import unused_modules
from lars.agent.module import Module, RoutedHost
from lars.agent.route_state import RouteState
from lars.balancing.gathered import Gathered
from lars.balancing.host import HostState, StateChange
from lars.balancing.policy import Policy
from lars.errors import InvalidRoute
from lars.route import UNSTEERED, HostAddress, ModuleId, Steering, module_id

MAX_MODULES = 200_000
"""Modules that one shard remembers. A local process chooses which it asks for."""


class DirectoryCounters:
    """What a directory has done so far.

    Attributes:
        succ: picks that gave a host.
        overload: picks that gave none because the policy let no call be made.
        noexist: picks that gave none because the module is not known or has no hosts.
        routes: routes given.
        states: route states given.
        reports: calls reported.
        unrouted: of these, calls to hosts outside the route.
        dropped: of these, calls of modules forgotten since that were not counted.
        ejections: hosts that were ejected, by the reason of the policy.
        restorations: hosts that became healthy again, likewise.
    """

    __slots__ = (
        "dropped",
        "ejections",
        "noexist",
        "overload",
        "reports",
        "restorations",
        "routes",
        "states",
        "succ",
        "unrouted",
    )

    def __init__(self) -> None:
        self.succ = self.overload = self.noexist = self.routes = self.states = 0
        self.reports = self.unrouted = self.dropped = 0
        self.ejections: Counter[str] = Counter()
        self.restorations: Counter[str] = Counter()


class DirectoryListener(Protocol):
    """Whatever keeps something for each module or host, such as the encodings of the short way."""

    def module_added(self, module: Module) -> None:
        """A module is known from now on."""

    def module_removed(self, module: Module) -> None:
        """A module is forgotten, with all its hosts."""

    def hosts_removed(self, hosts: Iterable[RoutedHost]) -> None:
        """Hosts have left their route."""


class Directory:
    """The modules of one shard.

    Args:
        new_policy: makes the policy of a new module.
        ask: called with each module whose route is needed from lars-dns, when a request first names it.
        max_modules: modules beyond this number are not remembered, and so have no hosts.
        configure: called when the settings of a module have changed, with their text in `module.settings`.
    """

    def __init__(
        self,
        new_policy: Callable[[ModuleId], Policy[RoutedHost]],
        ask: Callable[[ModuleId], None],
        max_modules: int = MAX_MODULES,
        configure: Callable[[Module, float], None] | None = None,
    ) -> None:
        self._configure = configure
        self._new_policy = new_policy
        self._ask = ask
        self._max_modules = max_modules
        self._modules: dict[ModuleId, Module] = {}
        self._listeners: list[DirectoryListener] = []
        self.counters = DirectoryCounters()

    @property
    def modules(self) -> Mapping[ModuleId, Module]:
        """All modules, in the order in which they were first asked for."""
        return self._modules

    @property
    def dropped(self) -> int:
        """Reported calls that were not counted because too many hosts were outside the route."""
        return self.counters.dropped + sum(module.unrouted.dropped for module in self._modules.values())

    def add_listener(self, listener: DirectoryListener) -> None:
        """Calls the listener's methods from now on."""
        self._listeners.append(listener)

    # What business processes ask and report.

    def find(self, modid: int, cmdid: int, now: float) -> Module | None:
        """The module, which is asked for if it is new; None for one that cannot exist, or is one too many."""
        key = ModuleId(modid, cmdid)
        module = self._modules.get(key)
        if module is not None:
            module.used(now)
            return module
        try:
            module_id(modid, cmdid)
        except InvalidRoute:
            return None
        if len(self._modules) >= self._max_modules:
            return None
        module = self._add(key, now)
        module.asked(now)
        self._ask(key)
        return module

    def pick(self, module: Module | None, key: int, now: float, source: int = 0) -> RoutedHost | None:
        """The host for a call to a module that `find` gave; the other arguments are those of Module.pick."""
        host = module.pick(key, now, source) if module is not None else None
        if host is not None:
            self.counters.succ += 1
        elif module is not None and module.hosts:
            self.counters.overload += 1
            module.refused += 1
        else:
            self.counters.noexist += 1
        return host

    def report(self, module: Module, address: HostAddress, failed: bool, cost: float, now: float) -> RoutedHost | None:
        """Counts one call of `cost` seconds, 0 where unknown; None if the host is not in the route."""
        host = module.report(address, failed, cost, now)
        self.counters.reports += 1
        if host is None:
            self.counters.unrouted += 1
        return host

    def report_success(self, host: RoutedHost, now: float) -> None:
        """Counts one successful call, of unknown cost, to a host of a route."""
        host.module.report_success(host, now)
        self.counters.reports += 1

    def report_gathered(
        self, module: Module, address: HostAddress, gathered: Gathered, now: float, before_failure: bool = False
    ) -> None:
        """Counts successful calls that a client has gathered."""
        if not module.report_gathered(address, gathered, now, before_failure):
            self.counters.unrouted += gathered.calls
        self.counters.reports += gathered.calls

    def route(self, module: Module | None) -> Iterable[HostAddress]:
        """The hosts of a module that `find` gave; none where it gave no module."""
        self.counters.routes += 1
        return module.hosts if module is not None else ()

    def route_state(self, module: Module | None) -> RouteState | None:
        """What a client may pick from by itself; None where `find` gave no module."""
        self.counters.states += 1
        return module.route_state() if module is not None else None

    # What lars-dns and time change.

    def _add(self, key: ModuleId, now: float) -> Module:
        module = self._modules[key] = Module(key, self._new_policy(key), now)
        for listener in self._listeners:
            listener.module_added(module)
        return module

    def restore(
        self, key: ModuleId, addresses: Iterable[HostAddress], now: float, steering: Steering = UNSTEERED
    ) -> None:
        """Takes a saved route, to be asked for again as soon as lars-dns is linked."""
        if key not in self._modules:
            module = self._add(key, now)
            module.restore(addresses, now, steering)
            self._configured(module, "", now)

    def _configured(self, module: Module, before: str, now: float) -> None:
        if self._configure is not None and module.settings != before:
            self._configure(module, now)

    def take_route(
        self,
        key: ModuleId,
        addresses: Iterable[HostAddress],
        fresh_until: float,
        subscribed: bool,
        now: float,
        steering: Steering = UNSTEERED,
        version: int = 0,
    ) -> bool:
        """Takes a route from lars-dns; False, and nothing happens, if the module is not known.

        Args:
            key: the module.
            addresses: its hosts.
            fresh_until: when lars-dns is to be asked again.
            subscribed: whether lars-dns pushes changes of this route.
            now: the time of the answer.
            steering: what an operator has set for it.
            version: that of the route; 0 if lars-dns does not say.
        """
        module = self._modules.get(key)
        if module is None:
            return False
        before = module.settings
        self._removed(module.take_route(addresses, fresh_until, subscribed, now, steering, version))
        self._configured(module, before, now)
        return True

    def _removed(self, hosts: list[RoutedHost]) -> None:
        for listener in self._listeners:
            listener.hosts_removed(hosts)

    def sweep(self, modules: Iterable[Module], now: float) -> list[tuple[ModuleId, StateChange[RoutedHost]]]:
        """Runs the timers of some modules' policies. Returns the changes of state since the last sweep."""
        changes = [(module.id, change) for module in modules for change in module.sweep(now)]
        counters = self.counters
        for _module, change in changes:
            restored = change.state is HostState.HEALTHY
            (counters.restorations if restored else counters.ejections)[change.reason] += 1
        return changes

    def take_due(self, now: float, update_timeout: float) -> list[ModuleId]:
        """The modules to ask lars-dns for now, which from now on count as asked for.

        These are the modules whose route is no longer fresh, or whose last request has had no answer for
        `update_timeout` seconds.
        """
        due = [
            module
            for module in self._modules.values()
            if (now >= module.fresh_until if module.asked_at is None else now - module.asked_at >= update_timeout)
        ]
        for module in due:
            module.asked(now)
        return [module.id for module in due]

    def forget_unused(self, now: float, ttl: float) -> list[Module]:
        """Forgets modules that nobody asked for in `ttl` seconds, and empty ones sooner; returns them."""
        unused = unused_modules(self._modules.values(), now, ttl)
        for module in unused:
            del self._modules[module.id]
            self.counters.dropped += module.unrouted.dropped
            for listener in self._listeners:
                listener.module_removed(module)
            self._removed(list(module.hosts.values()))
        return unused


def sliced(modules: Iterable[Module], most: int, most_hosts: int) -> list[list[Module]]:
    """Modules in slices of at most `most`, which have at most `most_hosts` hosts, but that each has one module."""
    slices: list[list[Module]] = []
    room = hosts_room = 0
    for module in modules:
        hosts = len(module.hosts)
        if not room or hosts > hosts_room:
            slices.append([])
            room, hosts_room = most, most_hosts
        slices[-1].append(module)
        room -= 1
        hosts_room -= hosts
    return slices
