"""What a client may choose from by itself: a module's hosts and states, under a version.

See docs/design/agent.md, route state.
"""

from dataclasses import dataclass
from hashlib import blake2b

from lars.agent.balancer import Balancer, H
from lars.route import ModuleId
from lars.wire.lars_pb2 import HostInfo, RouteStateResponse


@dataclass(frozen=True, slots=True)
class RouteState:
    """The hosts of a module and their states at one revision of its balancer, encoded but for the answer's seq.

    The version is a digest of them: it is the same again when they are, also after the agent has started anew.
    """

    revision: int
    version: int
    full: bytes
    """The body of an answer to a client that has another version, or none."""
    short: bytes
    """The body of an answer to a client that has this one."""

    @classmethod
    def of(cls, module: ModuleId, balancer: Balancer[H]) -> "RouteState":
        """The state as it is now; a module without hosts has version 0."""
        answer = RouteStateResponse(modid=module.modid, cmdid=module.cmdid)
        for host in balancer.hosts.values():
            info = HostInfo(ip=host.address.ip, port=host.address.port)
            (answer.overloaded if host.overloaded else answer.idle).append(info)
        if not balancer.hosts:
            body = answer.SerializeToString()
            return cls(balancer.revision, 0, body, body)
        digest = blake2b(answer.SerializeToString(), digest_size=8).digest()
        answer.version = int.from_bytes(digest, "little") or 1
        full = answer.SerializeToString()
        short = RouteStateResponse(modid=module.modid, cmdid=module.cmdid, version=answer.version)
        return cls(balancer.revision, answer.version, full, short.SerializeToString())

    def answer(self, seq: int, version: int) -> bytes:
        """The body for a client that has a version, 0 for none."""
        known = self.short if version == self.version else self.full
        return RouteStateResponse(seq=seq).SerializeToString() + known
