"""Real runs with several clients, and the simulator's run of the same plan beside them."""

from collections.abc import Iterator, Sequence

from bench.balance.metrics import Numbers
from bench.balance.policies.table import policy
from bench.balance.real.events import Plan
from bench.balance.real.run import RealRun
from bench.balance.real.summary import summarize
from bench.balance.simulation import Result, Simulation

ENVOY = "envoy_outlier_p2c"
"""What the real Envoy is to the simulator."""

Row = dict[str, object]


def compare(plan: Plan, clients: Sequence[str], policy_name: str, callers: int, seed: int) -> Iterator[list[Row]]:
    """The rows of the simulator, then those of each client, a row an event."""
    simulated = [policy_name] if set(clients) - {"envoy"} else []
    for name in [*simulated, *([ENVOY] if "envoy" in clients else [])]:
        yield _rows(plan, _simulated(plan, name, seed), "simulator", name)
    for client in clients:
        result = RealRun(plan, client, policy_name, callers, seed).run()
        yield _rows(plan, result, client, "envoy" if client == "envoy" else policy_name)


def _simulated(plan: Plan, policy_name: str, seed: int) -> Result:
    return Simulation(plan.scenario(next(plan.events())), policy(policy_name), seed).run()


def _rows(plan: Plan, result: Result, client: str, policy_name: str) -> list[Row]:
    rows = []
    for event in plan.events():
        numbers: Numbers = summarize(plan.scenario(event), event, result)
        row: Row = {"event": event.name, "client": client, "policy": policy_name}
        rows.append(row | numbers)
    return rows
