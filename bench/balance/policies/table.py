"""All policies by their names on the command line."""

from bench.balance.policies import project
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

NAMES = (*policies.NAMES, *OTHERS)


def policy(name: str) -> NewPolicy:
    """What makes the policy of a name in NAMES."""
    return OTHERS[name] if name in OTHERS else project.project_policy(name)
