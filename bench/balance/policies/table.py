"""All policies by their names on the command line."""

from bench.balance.policies import cached, project
from bench.balance.policies.candidate import Candidate
from bench.balance.policies.envoy import (
    LeastRequest,
    OutlierDetection,
    PlainOutlierDetection,
    RoundRobinOutlierDetection,
)
from bench.balance.policies.finagle import Finagle, PeakEwma
from bench.balance.policies.simple import PlainRoundRobin, Random
from bench.balance.policy import NewPolicy
from lars.balancing import policies

OTHERS: dict[str, NewPolicy] = {
    "plain_round_robin": PlainRoundRobin,
    "random": Random,
    "p2c_least_request": LeastRequest,
    "peak_ewma": PeakEwma,
    "finagle": Finagle,
    "envoy_outlier_rr": RoundRobinOutlierDetection,
    "envoy_outlier_p2c": OutlierDetection,
    "envoy_plain_rr": PlainOutlierDetection,
    "candidate": Candidate,
}
"""The policies of others, and the reference that the project's are compared with."""

CACHED = {f"{name}_cached": name for name in policies.NAMES}
"""The project's policies as clients with the cache apply them."""

FORGED = {f"{name}_forged": name for name in policies.PICKERS}
"""The same with a process a machine that reports failures of the first host that nobody has met."""

NAMES = (*policies.NAMES, *OTHERS, *CACHED, *FORGED)


def policy(name: str) -> NewPolicy:
    """What makes the policy of a name in NAMES."""
    if name in CACHED:
        return cached.cached_policy(CACHED[name])
    if name in FORGED:
        return cached.forged_policy(FORGED[name])
    return OTHERS[name] if name in OTHERS else project.project_policy(name)
