"""A module and a fleet as the database would give them."""

from lars.db.agents import Agent
from lars.db.calls import ModuleCalls
from lars.db.fleet import Fleet, Trouble
from lars.db.host_states import HostState, Watched
from lars.db.modules import Lease, Module
from lars.route import ModuleId, parse_host

M = ModuleId(1, 2)
A, B, C, D = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3, 4))


def watched() -> Watched:
    """A is ejected by one of two callers, B silent, C healthy and registered by itself, D no longer in the route."""
    module = Module(M, "pay", "", (A, B, C), {C: Lease(30, 0, "api:lea/scaler")})
    states = {A: HostState(2, 1, 90), C: HostState(2, 0, 95)}
    calls = {A: ModuleCalls(30, 10), C: ModuleCalls(50, 0), D: ModuleCalls(10, 0)}
    return Watched(module, states, calls)


def fleet() -> Fleet:
    """One module with an ejected host, and one with errors alone."""
    trouble = (Trouble(M, "pay", 3, 1, 80, 20), Trouble(ModuleId(9, 9), "", 1, 0, 90, 10))
    return Fleet(trouble, 1, (Agent(A.ip, 90),), 1, 0, (), 0)
