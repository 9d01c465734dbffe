"""The chaos drill: random faults while processes call and a program edits, then a check of every call and edit."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.drill.chaos.checks import Checks
from tests.drill.chaos.committed import CommittedCounts
from tests.drill.chaos.editor import Editor
from tests.drill.chaos.faults import Faults
from tests.drill.chaos.fleet import EDITED, WITNESS, ZONES, ChaosFleet
from tests.drill.chaos.schedule import draw
from tests.drill.chaos.watch import Watch
from tests.drill.outcome import Outcome


def run_chaos(folder: Path, seed: int, minutes: float, say: Callable[[str], None]) -> Outcome:
    """Makes one run.

    Args:
        folder: where everything is kept.
        seed: decides on faults and edits.
        minutes: for how long faults come.
        say: prints a line for each fault.
    """
    outcome = Outcome({"seed": seed, "minutes": minutes})
    with ChaosFleet(folder) as fleet, ExitStack() as stack:
        fleet.begin()
        targets = fleet.targets()
        faults = Faults(fleet.network, targets, fleet.clocks, fleet.disks, folder)
        stack.callback(faults.close)
        editor = Editor([servers.address for servers in fleet.servers.values()], fleet.new_token(), EDITED, seed)
        watches = [Watch(agent, [*EDITED, *fleet.called()]) for agent in fleet.agents]
        for watch in watches:
            stack.callback(watch.end)
            watch.start()
        stack.callback(editor.end)
        editor.start()
        committed = CommittedCounts(fleet)
        stack.callback(committed.end)
        committed.start()
        faults.run(draw(seed, minutes * 60, list(targets), ZONES, WITNESS), say)
        editor.end()
        checks = Checks(fleet, faults.happened, outcome)
        checks.until_routes_are_right(editor.edits, watches)
        for watch in watches:
            watch.end()
        fleet.end_callers()
        outcome.violations += [*faults.deaths, *(f"an edit was refused: {refusal}" for refusal in editor.refusals)]
        checks.edits(editor.edits, watches)
        checks.calls()
        checks.history(committed)
        checks.logs()
    return outcome
