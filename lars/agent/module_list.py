"""The modules of a shard and the calls to their hosts, page by page: what `lars top` shows.

See docs/design/wire.md, messages.
"""

from collections.abc import Mapping
from itertools import islice

from lars.agent.module import Module
from lars.balancing.host import HostState
from lars.route import ModuleId
from lars.wire.lars_pb2 import HostCallResult, ModuleListRequest, ModuleListResponse, ModuleState

PAGE_HOSTS = 500
"""Hosts in one page, at most: it fits a datagram, and no get_host waits long for it."""

PAGE_MODULES = 100
"""Modules in one page, at most."""

_COUNT_BITS = 0xFFFFFFFF


def module_page(modules: Mapping[ModuleId, Module], request: ModuleListRequest) -> ModuleListResponse:
    """The page from the request's offset on; modules come in the order in which they were first asked for."""
    page = ModuleListResponse(seq=request.seq, offset=request.offset, total=len(modules))
    room = PAGE_HOSTS
    for module in islice(modules.values(), request.offset, request.offset + PAGE_MODULES):
        hosts = len(module.hosts)
        if hosts > room and page.module:
            break
        page.module.append(_module_state(module, room))
        room -= min(hosts, room)
    return page


def _module_state(module: Module, most: int) -> ModuleState:
    modid, cmdid = module.id
    states = module.states()
    state = ModuleState(modid=modid, cmdid=cmdid, left_out=max(0, len(module.hosts) - most))
    for host in islice(module.hosts.values(), most):
        state.host.append(
            HostCallResult(
                ip=host.address.ip,
                port=host.address.port,
                succ=host.succ_before + host.succ & _COUNT_BITS,
                err=host.err_before + host.err & _COUNT_BITS,
                overload=states[host.address] is not HostState.HEALTHY,
            )
        )
    return state
