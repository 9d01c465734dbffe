"""What others have published of the same policies, which the simulator must reproduce: its validity checks."""

import math

import numpy as np

from bench.balance.policies.envoy import LeastRequest
from bench.balance.policy import NewPolicy
from bench.balance.scenario import Fault, Scenario
from bench.balance.server import NETWORK, WELL, Condition
from bench.balance.simulation import Simulation

UNLIMITED = 10**9


def supermarket_limit(load: float) -> float:
    """The mean time in the system, in service times, where each call joins the shorter of two queues of very many.

    The supermarket model: Mitzenmacher, The Power of Two Choices in Randomized Load Balancing (IEEE TPDS 12, 2001).
    """
    return sum(math.pow(load, 2**i - 2) for i in range(1, 20))


def supermarket(load: float, end: float, seed: int, queues: int = 500) -> float:
    """The same as the simulator has it, over the second half of a run that lasts `end` service times.

    The fewer the queues and the closer the load to 1, the further above the limit: 500 queues agree up to 0.9.
    """
    scenario = Scenario(
        "supermarket", 1, queues * load, end, [1] * queues, mean=1.0, timeout=float(UNLIMITED), backlog=UNLIMITED
    )
    result = Simulation(scenario, LeastRequest, seed).run()
    return float(np.mean(result.costs[result.times > end / 2] - NETWORK))


LINKERD_MEAN = 0.167
"""Seconds of service in Linkerd's comparison; normally distributed, with a deviation of 5 ms."""


def linkerd(new_policy: NewPolicy, seed: int) -> float:
    """The share of calls, in %, that take less than a second in Linkerd's comparison of load balancers.

    11 hosts without limits, 1,000 calls a second for a minute; one host takes 2 s from 15 s to 45 s. Published: round
    robin 95 %, least loaded 99 %, peak EWMA 99.9 % (Beyond Round Robin, linkerd.io/2016/03/16).
    """
    slow = Condition(slowness=2 / LINKERD_MEAN)
    scenario = Scenario(
        "linkerd",
        1,
        1000.0,
        60.0,
        [10**5] * 11,
        faults=[Fault(15.0, 0, slow), Fault(45.0, 0, WELL)],
        mean=LINKERD_MEAN,
        timeout=float(UNLIMITED),
        backlog=UNLIMITED,
        service="normal",
    )
    return 100 * float(np.mean(Simulation(scenario, new_policy, seed).run().costs < 1.0))
