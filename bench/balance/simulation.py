"""The event loop of one run: calls, their ends, sweeps and faults in the order of time."""

import heapq
import math
import random
import time
from dataclasses import dataclass

import numpy as np

from bench.balance.agent_timer import AgentTimer
from bench.balance.calls import Calls, Floats, Integers, draw
from bench.balance.policy import NewPolicy
from bench.balance.scenario import Fault, Scenario
from bench.balance.server import OK, REFUSED, Server


@dataclass(frozen=True, slots=True)
class Result:
    """The calls of one run as columns, and what the agents ejected.

    Attributes:
        times: when each call was made.
        agents: whose it was.
        hosts: where it went; -1 if to no host.
        outcomes: OK, FAILED, TIMED_OUT or REFUSED.
        costs: its duration in seconds; 0 if it went to no host.
        changes: of each agent's policy: (now, host, whether it was ejected rather than restored).
        wall: seconds that the simulation took.
    """

    times: Floats
    agents: Integers
    hosts: Integers
    outcomes: Integers
    costs: Floats
    changes: list[list[tuple[float, int, bool]]]
    wall: float


class Simulation:
    """One run of one policy: every agent has an instance of it, and the agents know nothing of each other."""

    def __init__(self, scenario: Scenario, new_policy: NewPolicy, seed: int, with_cost: bool = True) -> None:
        """The same seed makes the same calls for every policy.

        Without cost, policies get 0 as the cost of each, but for the calls that their agent times.
        """
        self._scenario, self._seed, self._with_cost = scenario, seed, with_cost
        self._servers = [Server(workers, scenario.mean, scenario.backlog) for workers in scenario.workers]
        joining = {host for _, host in scenario.joins}
        self._route = [host for host in range(scenario.hosts) if host not in joining]
        self._policies = [
            new_policy(self._route, random.Random(seed * 100_003 + agent), 0.0) for agent in range(scenario.agents)
        ]
        changes: list[tuple[float, int, int, Fault | None]] = [(f.at, 0, f.host, f) for f in scenario.faults]
        changes += [(at, 1, host, None) for at, host in scenario.joins]
        self._script = sorted(changes, key=lambda change: change[:3], reverse=True)  # the next one last
        self._under_way: list[tuple[float, int, int, int, bool, float]] = []  # a heap: end, call, agent, host …
        self._next_sweep = 1.0

    def run(self) -> Result:
        """Simulates all calls; may be called once."""
        began = time.perf_counter()
        calls = draw(self._scenario, self._seed)
        hosts, outcomes, costs = self._make(calls)
        return Result(
            calls.times,
            calls.agents,
            np.array(hosts, dtype=np.int64),
            np.array(outcomes, dtype=np.int64),
            np.array(costs, dtype=np.float64),
            [policy.changes for policy in self._policies],
            time.perf_counter() - began,
        )

    def _make(self, calls: Calls) -> tuple[list[int], list[int], list[float]]:
        """Where each call went, how it ended, and its duration."""
        policies, servers, timeout = self._policies, self._servers, self._scenario.timeout
        under_way, push, with_cost = self._under_way, heapq.heappush, self._with_cost
        timers = [AgentTimer() for _ in policies]
        count = len(calls.times)
        hosts, outcomes, costs = [-1] * count, [REFUSED] * count, [0.0] * count
        columns = (column.tolist() for column in (calls.times, calls.agents, calls.keys, calls.work, calls.luck))
        for number, (now, agent, key, work, luck) in enumerate(zip(*columns, strict=True)):
            self._advance(now)
            host = policies[agent].choose(key, now)
            if host >= 0:
                outcome, cost = servers[host].call(now, work, luck, timeout)
                hosts[number], outcomes[number], costs[number] = host, outcome, cost
                known = cost if with_cost else 0.0
                if not with_cost and policies[agent].times_calls:
                    known = timers[agent].known_cost(host, len(servers), now, cost)
                push(under_way, (now + cost, number, agent, host, outcome != OK, known))
        return hosts, outcomes, costs

    def _advance(self, now: float) -> None:
        """All that happens until `now`. Of what happens at once, a change of hosts is first and a sweep last."""
        under_way, script, policies = self._under_way, self._script, self._policies
        while True:
            next_end = under_way[0][0] if under_way else math.inf
            next_change = script[-1][0] if script else math.inf
            if next_end > now and self._next_sweep > now and next_change > now:
                return
            if next_change <= next_end and next_change <= self._next_sweep:
                self._change(*script.pop())
            elif next_end <= self._next_sweep:
                when, _, agent, host, failed, cost = heapq.heappop(under_way)
                policies[agent].report(host, failed, cost, when)
            else:
                for policy in policies:
                    policy.sweep(self._next_sweep)
                self._next_sweep += 1.0

    def _change(self, at: float, _kind: int, host: int, fault: Fault | None) -> None:
        if fault:
            self._servers[host].condition = fault.condition
            return
        self._route = [*self._route, host]
        for policy in self._policies:
            policy.update(self._route, at)
