"""The local agent as the gateway uses it: routes with states, hosts to call, reports."""

from twisted.internet.defer import Deferred

from lars.client.address import SHARDS, AgentAddress
from lars.client.host import Host
from lars.client.queries import no_such_module
from lars.client.twisted import LarsClient, ReactorLoop
from lars.gateway.route import Route
from lars.gateway.route_cache import UNUSED, RouteCache
from lars.gateway.state_link import StateLink
from lars.route import HostAddress, ModuleId, shard_of
from lars.runtime.periodic import Periodic
from lars.runtime.reactor import IReactor


class Agent:
    """One agent. Hosts are chosen here, as any client of Lars chooses them (docs/design/client.md, the cache).

    Args:
        address: where it answers.
        timeout: seconds until a question to it fails.
        reactor: the reactor.
    """

    def __init__(self, address: AgentAddress, timeout: float, reactor: IReactor) -> None:
        self.address = address
        self._reactor = reactor
        # Saved routes are for processes that have nobody to ask; the gateway says that the agent is away.
        self._client = LarsClient(str(address), timeout, state_dir="", first_wait=0.0, reactor=reactor)
        loop = ReactorLoop(reactor)
        self._links = [StateLink(AgentAddress(address.ip, address.port + n), timeout, loop) for n in range(SHARDS)]
        self.routes = RouteCache(self._ask, reactor)
        self._forgetting = Periodic("forgetting unused routes", UNUSED / 4, self.routes.forget_unused, reactor)

    def start(self) -> None:
        """Begins to forget what nobody asks for."""
        self._forgetting.start()

    @property
    def is_alive(self) -> bool:
        """Whether every shard answered the last question to it."""
        return all(link.alive for link in self._links)

    def _ask(self, module: ModuleId, known: Route | None) -> Deferred[Route]:
        return self._links[shard_of(module, SHARDS)].ask(module, known, self._reactor.seconds())

    def route(self, module: ModuleId) -> Route | Deferred[Route]:
        """All hosts of a module, none if it has none; at once if it can be. Fails with AgentUnavailable."""
        return self.routes.fresh(module) or self.routes.get(module)

    def pick(self, module: ModuleId, key: int | str | None = None) -> Host | Deferred[Host]:
        """The host to call, at once if it can be; fails with NoSuchModule, Overloaded or AgentUnavailable.

        Args:
            module: the module.
            key: as for the clients.
        """
        route = self.routes.fresh(module)
        if route is None:
            return Deferred.fromCoroutine(self._pick_later(module, key))
        return self._pick(route, key)

    async def _pick_later(self, module: ModuleId, key: int | str | None) -> Host:
        picked = self._pick(await self.routes.get(module), key)
        return picked if isinstance(picked, Host) else await picked

    def _pick(self, route: Route, key: int | str | None) -> Host | Deferred[Host]:
        # A module without hosts is not asked about with the client, which remembers every module that it was asked for.
        if not route.hosts:
            raise no_such_module(route.module)
        picked = self._client.get_host(*route.module, key=key)
        result = getattr(picked, "result", None)
        return result if isinstance(result, Host) else picked

    def report(self, module: ModuleId, address: HostAddress, retcode: int, cost: float | None) -> None:
        """Reports a call. Raises AgentUnavailable, and InvalidArgument for numbers that cannot be."""
        self._client.report(Host(module, address), retcode, cost)

    async def stop(self) -> None:
        """Sends the gathered reports, and closes the sockets; whoever still waits gets an error, or no answer."""
        await self._forgetting.stop()
        self._client.close()
        for link in self._links:
            link.close()
        self.routes.close()
