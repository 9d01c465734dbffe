"""A process with the three shards of an agent, whose routes are known, and nothing else.

    python -m bench.services.udp_shards twisted|lars BASE_PORT

The first word says which UDP port drives the shards' protocol: that of `reactor.listenUDP`, or the agent's own.
"""

import random
import sys

from bench.load.udp_modules import HOSTS, MODULES
from lars.agent.datagrams import DatagramCodec
from lars.agent.directory import Directory
from lars.agent.settings import SHARDS
from lars.agent.udp_port import UdpPort
from lars.agent.udp_protocol import ShardProtocol
from lars.balancing.policies import new_policy
from lars.route import HostAddress, parse_ip, shard_of
from lars.runtime.gil_and_gc import freeze_loaded_objects, tune_gil_and_gc
from lars.runtime.reactor import monotonic_reactor


def main() -> None:
    """Answers on the ports of the command line, until it is killed."""
    kind, base_port = sys.argv[1], int(sys.argv[2])
    reactor = monotonic_reactor()
    tune_gil_and_gc()
    rng = random.Random()
    for number in range(SHARDS):
        directory = Directory(lambda _module: new_policy("adaptive", rng), lambda _module: None)
        protocol = ShardProtocol(DatagramCodec(directory), reactor.seconds)
        for module in MODULES:
            if shard_of(module, SHARDS) == number:
                hosts = [HostAddress((10 << 24) + (module.modid << 8) + host, 8000) for host in range(1, HOSTS + 1)]
                directory.restore(module, hosts, reactor.seconds())
        if kind == "twisted":
            reactor.listenUDP(base_port + number, protocol, interface="127.0.0.1", maxPacketSize=65_536)
        else:
            UdpPort(reactor, HostAddress(parse_ip("127.0.0.1"), base_port + number), protocol).startListening()
    freeze_loaded_objects()
    reactor.run()


if __name__ == "__main__":
    main()
