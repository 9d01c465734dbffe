"""What callers may lose by the adaptive policy, in every scenario of the simulator (docs/performance.md, balancing)."""

import pytest

from bench.balance.scenarios import Fleet
from bench.balance.study import Case, mean, run

SEEDS = (7, 8, 9)

BARS = [
    ("dead", {"lost%": 0.06, "return_s": 10}),
    ("hang", {"lost%": 0.05, "p99": 50}),
    ("slow10", {"lost%": 0, "p99": 51}),
    ("fail30", {"lost%": 0.15}),
    ("all30", {"refused%": 0}),
    ("brownout", {"lost%": 32}),
    ("rolling", {"lost%": 0.25}),
    ("half", {"lost%": 0.25}),
    ("cold", {"lost%": 0, "p99": 50}),
    ("hetero", {"p99": 52}),
    ("dead_low", {"lost%": 1.1}),
]


@pytest.mark.parametrize(("scenario", "bars"), BARS, ids=[scenario for scenario, _ in BARS])
def test_adaptive_meets_its_bars(scenario: str, bars: dict[str, float]) -> None:
    found = mean([run(Case(scenario, Fleet()), "adaptive", seed) for seed in SEEDS])
    over = {key: (found[key], bar) for key, bar in bars.items() if not _within(found[key], bar)}
    assert over == {}


def _within(value: float | None, bar: float) -> bool:
    return value is not None and value <= bar


def test_all_failing_costs_no_more_than_round_robin() -> None:
    case = Case("all30", Fleet(agents=100))
    adaptive, turns = (mean([run(case, name, seed) for seed in SEEDS]) for name in ("adaptive", "plain_round_robin"))
    assert adaptive["refused%"] == 0
    assert (adaptive["lost%"] or 0) <= (turns["lost%"] or 0) + 0.1


def test_agents_that_start_together_spread() -> None:
    found = mean([run(Case("herd", Fleet(agents=100)), "adaptive", seed) for seed in SEEDS])
    assert _within(found["first_burst"], 1.35)


@pytest.mark.parametrize(
    ("hosts", "agents", "load", "workers"), [(5, 10, 0.5, 4), (20, 100, 0.8, 2), (100, 10, 0.5, 1)]
)
def test_steady_latency_is_that_of_round_robin(hosts: int, agents: int, load: float, workers: int) -> None:
    case = Case("steady", Fleet(hosts, agents, load, workers))
    adaptive, turns = (
        mean([run(case, name, seed) for seed in SEEDS])["p99"] for name in ("adaptive", "plain_round_robin")
    )
    assert adaptive is not None
    assert turns is not None
    assert adaptive <= 1.03 * turns
