"""What a chaos drill checks when its faults are over: routes, edits, calls, history and logs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

from bench.processes.errors import ProcessError
from bench.processes.waiting import until
from tests.drill.calls import FAILED, OK, Call
from tests.drill.chaos.committed import CommittedCounts
from tests.drill.chaos.editor import RouteEdit
from tests.drill.chaos.fleet import EDITED, ChaosFleet
from tests.drill.chaos.schedule import Happened, Kind
from tests.drill.chaos.verdict import SPREAD, calm_from, can_be_lost, reason
from tests.drill.chaos.watch import Watch
from tests.drill.outcome import Outcome
from tests.drill.services import Agent

SETTLED = 60.0
"""Seconds after the last fault until every agent has every edit, and every call is in the history, at most."""

SHOWN = 5
"""Calls of one caller that are listed."""


class Checks:
    """Notes in an outcome what the faults that happened do not explain."""

    def __init__(self, fleet: ChaosFleet, faults: Sequence[Happened], outcome: Outcome) -> None:
        self._fleet = fleet
        self._faults = faults
        self._outcome = outcome
        self._start = faults[0].began - faults[0].fault.begin if faults else 0.0

    def until_routes_are_right(self, edits: Sequence[RouteEdit], watches: Sequence[Watch]) -> None:
        """Waits until every confirmed edit has reached every agent; those without an answer count for neither."""
        unsure = {edit.which for edit in edits if not edit.confirmed}
        gone = {edit.which for edit in edits if not edit.adds} - unsure
        there = {edit.which for edit in edits if edit.adds} - unsure - gone

        def wrong() -> list[str]:
            found = []
            for watch in watches:
                known = {(module, host) for module in EDITED for host in watch.route(module)}
                found += [f"{watch.agent.name} lacks {host} of {module}" for module, host in there - known]
                found += [f"{watch.agent.name} still has {host} of {module}" for module, host in gone & known]
            return found

        with suppress(ProcessError):
            until(lambda: not wrong(), "every edit to reach every agent", SETTLED, 0.2)
        self._outcome.violations += wrong()

    def edits(self, edits: Sequence[RouteEdit], watches: Sequence[Watch]) -> None:
        """Each confirmed edit is in the audit once, and reached each agent in time; no route was empty."""
        outcome = self._outcome
        confirmed = [edit for edit in edits if edit.confirmed]
        outcome.figures["edits"] = {"confirmed": len(confirmed), "without an answer": len(edits) - len(confirmed)}
        outcome.require(bool(confirmed), "no edit was confirmed")
        audit = self._audit()
        for edit in edits:
            rows = audit[edit.which, edit.adds]
            outcome.require(rows == 1 or (rows == 0 and not edit.confirmed), f"{edit} is in the audit {rows} times")
        slowest = 0.0
        for edit in confirmed:
            due = calm_from(edit.ended, SPREAD, self._faults) + SPREAD
            for watch in watches:
                seen = (watch.added if edit.adds else watch.removed).get(edit.which, edit.ended)
                slowest = max(slowest, seen - edit.ended)
                outcome.require(seen <= due, f"{edit} reached {watch.agent.name} {seen - due:.1f} s too late")
        outcome.figures["slowest edit to reach an agent, s"] = round(slowest, 1)
        for watch in watches:
            for at, module in watch.empty:
                outcome.violations.append(f"{watch.agent.name} had no hosts of {module} at {at - self._start:.1f} s")

    def _audit(self) -> Counter[tuple[object, bool]]:
        """How often the audit has each host as removed (False) and as added (True)."""
        rows = self._fleet.database.query("SELECT modid, cmdid, hosts_before, hosts_after FROM lars.RouteAudit")
        found: Counter[tuple[object, bool]] = Counter()
        for modid, cmdid, *texts in rows:
            for adds, text in enumerate(texts):
                found.update((((modid, cmdid), host), bool(adds)) for host in text.split())
        return found

    def calls(self) -> None:
        """Each call that did not succeed has a fault as its reason."""
        outcomes: Counter[str] = Counter()
        cost: Counter[Kind] = Counter()
        for caller in self._fleet.callers:
            calls, asked = self._fleet.calls_of(caller), self._fleet.asked(caller)
            outcomes.update(call.outcome for call in calls)
            reasons = [(call, reason(call, asked, self._faults)) for call in calls if call.outcome != OK]
            cost.update(each.fault.kind for _, each in reasons if each is not None)
            wrong = [call for call, each in reasons if each is None]
            self._outcome.violations += [f"{caller.name}: {self._shown(call)}" for call in wrong[:SHOWN]]
            self._outcome.require(len(wrong) <= SHOWN, f"{caller.name}: {len(wrong)} such calls in all")
        kinds = Counter(each.fault.kind for each in self._faults)
        self._outcome.figures["faults, and calls that failed or found no host for each kind"] = {
            kind.value: (kinds[kind], cost[kind]) for kind in Kind
        }
        self._outcome.figures["calls"] = dict(outcomes)

    def _shown(self, call: Call) -> str:
        to = f" to {call.host} in {call.zone}" if call.outcome == FAILED else ""
        took = f"{call.ended - call.began:.2f} s"
        return f"{call.outcome}{to} at {call.began - self._start:.1f} s after {took}, by no fault"

    def history(self, committed: CommittedCounts) -> None:
        """The history has every call that was reported, but those whose counts died with an agent or gateway."""
        fleet = self._fleet
        reported = {number: sum(sums) for number, sums in fleet.reported().items()}
        lost, unsure = self._may_be_lost(committed), Counter[int]()
        for caller in fleet.callers:
            unsure[caller.module[0]] += sum(not call.reported for call in fleet.calls_of(caller))

        def missing() -> dict[int, int]:
            history = fleet.history()
            return {number: count - sum(history.get(number, (0, 0))) for number, count in reported.items()}

        def is_explained(counts: dict[int, int]) -> bool:
            return all(-unsure[number] <= count <= lost[number] for number, count in counts.items())

        with suppress(ProcessError):
            until(lambda: is_explained(missing()), "the history", SETTLED, 0.5)
        found = missing()
        self._outcome.require(is_explained(found), "the history lacks calls that no kill explains")
        self._outcome.figures["calls by agent"] = {
            number: {"reported": reported[number], "not in the history": found[number], "may be lost": lost[number]}
            for number in reported
        }

    def _may_be_lost(self, committed: CommittedCounts) -> Counter[int]:
        """How many calls of each agent kills may have lost; a gateway loses only those of its own callers."""
        lost: Counter[int] = Counter()
        for kill in (each for each in self._faults if each.fault.kind is Kind.KILL):
            for agent in self._fleet.agents:
                ends = sorted(call.ended for call in self._reported_by(agent, kill.fault.target))
                is_agent = kill.fault.target == agent.name
                count = committed.before(kill.began).get(agent.number, 0) if is_agent else len(ends)
                lost[agent.number] += can_be_lost(kill, ends, count)
        return lost

    def _reported_by(self, agent: Agent, process: str) -> Iterator[Call]:
        """The calls that are reported to an agent by way of a process: the agent itself, or a gateway before it."""
        for caller in self._fleet.callers:
            if caller.agent is agent and process in self._fleet.asked(caller).processes:
                yield from (call for call in self._fleet.calls_of(caller) if not call.refused)

    def logs(self) -> None:
        """No service logged a bug."""
        for name, target in self._fleet.targets().items():
            log = target.process.log()
            at = log.find("Traceback (most recent call last)")
            self._outcome.require(at < 0, f"{name} logged {' | '.join(log[at:].splitlines()[-3:])}")
