"""What a client may pick from by itself: a module's policy, hosts and states, under a version.

See docs/design/agent.md, route state.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

from lars.balancing.host import HostState
from lars.route import HostAddress, ModuleId
from lars.wire.lars_pb2 import HostInfo, RouteStateResponse

MAX_SLOW = 200
"""Slow hosts named to a client, at most."""


@dataclass(frozen=True, slots=True)
class RouteState:
    """A module's policy, hosts, states and weights, encoded but for the answer's seq.

    The version is a digest of them: equal hosts in equal states have equal versions, also after the agent restarts.

    Attributes:
        revision: that of the policy when the state was made.
        version: 0 for a module without hosts, otherwise 1 to 2**64 - 1.
        full: the body of an answer to a client that has another version, or none.
        short: the body of an answer to a client that has this version.
    """

    revision: int
    version: int
    full: bytes
    short: bytes

    @classmethod
    def of(
        cls,
        module: ModuleId,
        policy: str,
        states: Mapping[HostAddress, HostState],
        weights: Iterable[int],
        revision: int,
        ask: bool = False,
    ) -> "RouteState":
        """Encodes the states of a module's hosts.

        Args:
            module: the module.
            policy: the name of its policy.
            states: the state of each host.
            weights: the weight of each host, in the order of `states`.
            revision: that of the policy.
            ask: whether clients should ask for the host of each call.
        """
        answer = RouteStateResponse(modid=module.modid, cmdid=module.cmdid, ask=ask)
        idle_weights = []
        for (address, state), weight in zip(states.items(), weights, strict=True):
            infos = answer.overloaded
            if state is HostState.HEALTHY:
                infos = answer.idle
                idle_weights.append(weight)
            infos.append(HostInfo(ip=address.ip, port=address.port))
        if states:
            answer.policy = policy
        if len(set(idle_weights)) > 1:  # what is left out keeps 4,000 hosts within a datagram
            answer.idle_weight.extend(idle_weights)
        if not states:
            body = answer.SerializeToString()
            return cls(revision, 0, body, body)
        digest = blake2b(answer.SerializeToString(), digest_size=8).digest()
        answer.version = int.from_bytes(digest, "little") or 1
        full = answer.SerializeToString()
        short = RouteStateResponse(modid=module.modid, cmdid=module.cmdid, version=answer.version)
        return cls(revision, answer.version, full, short.SerializeToString())

    def answer(self, seq: int, version: int, slow: Mapping[HostAddress, float]) -> bytes:
        """The body for a client that has a version, 0 for none; with the hosts that are slow now."""
        known = self.short if version == self.version else self.full
        answer = RouteStateResponse(seq=seq)
        for address, penalty in islice(slow.items(), MAX_SLOW):
            answer.slow.add(ip=address.ip, port=address.port, penalty=penalty)
        return answer.SerializeToString() + known
