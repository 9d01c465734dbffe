"""A whole shard without a socket: a directory with one kind of policy, and its codec."""

import random
from collections.abc import Callable, Iterable, Mapping

from lars.agent.datagrams import DatagramCodec
from lars.agent.directory import Directory
from lars.agent.module import Module
from lars.balancing.policies import new_policy
from lars.route import HostAddress, ModuleId
from tests.unit.balancing.draws import FirstHost


class Shard:
    """Routes come from a Python lars-dns, whose pushes keep them right."""

    codec_type = DatagramCodec

    def __init__(self, ask: Callable[[ModuleId], None] = lambda _module: None, policy: str = "classic") -> None:
        rng = FirstHost() if policy == "classic" else random.Random(1)
        self.directory = Directory(lambda _module: new_policy(policy, rng), ask)
        self.codec = self.codec_type(self.directory)
        self.counters = self.directory.counters

    @property
    def modules(self) -> Mapping[ModuleId, Module]:
        return self.directory.modules

    def datagram(self, data: bytes, now: float, source: int = 0) -> bytes | None:
        return self.codec.answer(data, now, source)

    def take_route(self, key: ModuleId, hosts: Iterable[HostAddress], fresh_until: float, now: float) -> None:
        self.directory.take_route(key, hosts, fresh_until, True, now)

    def sweep(self, now: float) -> None:
        self.directory.sweep(self.modules.values(), now)


def records(module: Module) -> list[object]:
    """What the policy knows of each host, for comparing two modules that should know the same."""
    return [(h.address, h.record.overloaded, str(h.record), h.record.reset_at) for h in module.hosts.values()]
