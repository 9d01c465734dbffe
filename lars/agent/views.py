"""How the agent sees its hosts, for lars-reporter: what has changed at once, all that is called once a minute.

Pure: `now` (seconds, monotonic) is an argument. See docs/design/agent.md, views.
"""

from collections.abc import Callable, Iterable, Iterator

from lars.agent.module import Module, ViewedModule
from lars.host_condition import Condition
from lars.wire.lars_pb2 import AgentFacts, AgentViews, HostView, ModuleView

CALLS_EVERY = 60.0
"""Seconds from one time that the calls and latencies of a module's hosts are sent to the next."""

ALL_EVERY = 3600.0
"""Seconds after which everything is sent again, so that what the reporter's database has is known not to be old."""

ITEMS = 400
"""Modules and hosts in one message, at most: with the longest reasons they take 45 KB."""

MOST_MODULES = 10_000
"""Modules of which anything is sent, at most, those first used first: a local process chooses how many it asks for."""

_MAX_COUNT = 2**32 - 1


class Views:
    """What is still to be sent to lars-reporter.

    Args:
        facts: gives what is known of the agent itself.
        interval: seconds between two calls of `due`.
    """

    def __init__(self, facts: Callable[[float], AgentFacts], interval: float) -> None:
        self._facts = facts
        self._interval = interval
        self._forgotten: list[ModuleView] = []
        self._modules = 0  # those of which something was sent
        self._connection = 0  # that on which the facts were last sent
        self._facts_at = 0.0
        self._facts_sent = AgentFacts()

    def forgotten(self, module: Module) -> None:
        """Notes that a module is no longer held; of many at once, some."""
        if module.viewed is None:
            return
        self._modules -= 1
        if len(self._forgotten) < ITEMS:
            self._forgotten.append(ModuleView(modid=module.id.modid, cmdid=module.id.cmdid, forgotten=True))

    def due(self, modules: Iterable[Module], connection: int, now: float) -> list[AgentViews]:
        """The messages about some modules that are due on a connection, which has a number of its own."""
        messages: list[AgentViews] = []
        facts = self._due_facts(connection, now)
        if facts is not None:
            messages.append(AgentViews(agent=facts))
        forgotten, self._forgotten = self._forgotten, []
        room = 0
        for view in [*forgotten, *(view for module in modules for view in self._of(module, connection, now))]:
            size = 1 + len(view.host)
            if size > room:
                messages.append(AgentViews())
                room = ITEMS
            messages[-1].module.append(view)
            room -= size
        return messages

    def _due_facts(self, connection: int, now: float) -> AgentFacts | None:
        facts = self._facts(now)
        age, facts.age_s = facts.age_s, 0  # which alone is no news
        if connection == self._connection and now - self._facts_at < ALL_EVERY and facts == self._facts_sent:
            return None
        self._connection, self._facts_at = connection, now
        self._facts_sent.CopyFrom(facts)
        facts.age_s = age
        return facts

    def _of(self, module: Module, connection: int, now: float) -> Iterator[ModuleView]:
        """What is due of one module, in parts of at most ITEMS."""
        viewed = module.viewed
        if viewed is None:
            if not module.hosts or self._modules >= MOST_MODULES:
                return
            self._modules += 1
            viewed = module.viewed = ViewedModule()
        everything = viewed.connection != connection or now - viewed.all_at >= ALL_EVERY
        with_calls = now - viewed.calls_at >= CALLS_EVERY
        is_new = everything or viewed.version != module.version
        if not (is_new or with_calls or viewed.states or viewed.revision != module.revision):
            return
        hosts = _hosts(module, viewed, everything, with_calls, now)
        period = min(now - viewed.calls_at, 2 * CALLS_EVERY) if viewed.calls_at >= 0 else self._interval
        if everything:
            viewed.connection, viewed.all_at = connection, now
        if with_calls:
            viewed.calls_at = now
        viewed.revision, viewed.version = module.revision, module.version
        if hosts or is_new:
            for first in range(0, max(1, len(hosts)), ITEMS - 1):
                yield ModuleView(
                    modid=module.id.modid,
                    cmdid=module.id.cmdid,
                    version=module.version,
                    host=hosts[first : first + ITEMS - 1],
                    period_s=max(1, round(period)),
                )


def _hosts(module: Module, viewed: ViewedModule, everything: bool, with_calls: bool, now: float) -> list[HostView]:
    """The hosts of which something is to be sent: those whose state is another one, and those that were called."""
    found = []
    before, viewed.states = viewed.states, {}
    views = list(module.policy.views(with_calls))
    if not with_calls and before and not before.keys() <= {seen.host.address for seen in views}:
        views = list(module.policy.views())  # one is healthy again, or has left
    for seen in views:
        host = seen.host
        state = (seen.condition, seen.reason)
        is_healthy = seen.condition is Condition.HEALTHY
        if not is_healthy:
            viewed.states[host.address] = state
        succ = host.succ + host.succ_before - host.viewed_succ if with_calls else 0
        err = host.err + host.err_before - host.viewed_err if with_calls else 0
        changed = before.get(host.address) != (None if is_healthy else state)
        if not (changed or succ or err or ((everything or with_calls) and not is_healthy)):
            continue
        view = HostView(ip=host.address.ip, port=host.address.port, condition=seen.condition, reason=seen.reason)
        view.age_s = max(0, int(now - host.changed_at))
        view.latency_us = min(round(seen.latency * 1e6), _MAX_COUNT)
        if with_calls:
            host.viewed_succ += succ
            host.viewed_err += err
            view.succ, view.err = min(succ, _MAX_COUNT), min(err, _MAX_COUNT)
        found.append(view)
    return found
