"""One run of the demo: real processes, sockets and calls, driven by the scenario and shown by the view."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lars.cli.demo.callers import Callers
from lars.cli.demo.ejections import Change, Transition
from lars.cli.demo.nodes import Node
from lars.cli.demo.record import Record
from lars.cli.demo.route_add import RouteAdd
from lars.cli.demo.scenario import Scenario, Step
from lars.cli.demo.stack import Stack, StackConfig
from lars.cli.demo.summary import Summary, Timeline, joined_at, restored, summarize
from lars.cli.demo.view import NodeRow, Snapshot, View
from lars.client import AgentUnavailable, LarsClient
from lars.route import ModuleId

MODULE = ModuleId(1, 1)
FIRST_NODES = ("node 1", "node 2", "node 3", "node 4")
FAILING = "node 3"
ADDED = "node 5"
SET_UP_LIMIT = 20.0
"""Seconds until the stack must have started and the first nodes must be callable."""
AGENT_TIMEOUT = 1.0
"""Seconds until a caller's request fails: the agent needs microseconds, but the machine may be busy."""
TICK = 0.1


class DemoRun:
    """Starts everything, and runs the scenario once.

    `cleanup` ends everything that it started, in every case.
    """

    def __init__(self, folder: Path, view: View, cleanup: ExitStack) -> None:
        self._folder = folder
        self._view = view
        self._cleanup = cleanup
        self._started = time.monotonic()
        self._nodes: dict[str, Node] = {}
        self._names: dict[str, str] = {}  # IP:PORT -> name, for the callers
        self._timeline = Timeline(FAILING, ADDED)
        self._shown_changes = 0
        self._shown_join = False

    def run(self, stay: bool = False) -> Summary:
        """Runs the scenario and then, with `stay`, keeps calling until Ctrl-C.

        Raises LarsError, mostly StackFailed, if it cannot continue.
        """
        self._set_up()
        scenario = Scenario(time.monotonic())
        steps: dict[Step, Callable[[], None]] = {
            Step.FAIL: self._fail,
            Step.RECOVER: self._recover,
            Step.ADD: self._add,
        }
        while (step := scenario.advance(*self._observe())) is not Step.END:
            if step is not None:
                steps[step]()
            time.sleep(TICK)
        if not stay:
            self._callers.stop()
        with self._callers.record() as record:
            summary = summarize(record, self._timeline)
        if stay:
            self._stay()
        return summary

    def _stay(self) -> None:
        self._event(f"the demo keeps running: open {self._stack.web_address()}; press Ctrl-C to quit")
        try:
            while True:
                self._observe()
                time.sleep(TICK)
        except KeyboardInterrupt:
            self._callers.stop()

    def _set_up(self) -> None:
        deadline = time.monotonic() + SET_UP_LIMIT
        self._event("starting Lars in one process: twistd -n lars")
        self._stack = Stack(StackConfig.free(self._folder))
        self._cleanup.callback(self._stack.stop)
        self._stack.wait_until_up(deadline)
        self._event(f"the console is at {self._stack.web_address()} while the demo runs")
        for name in FIRST_NODES:
            self._start_node(name)
        self._add_route(*FIRST_NODES).wait(deadline)
        client = LarsClient(("127.0.0.1", self._stack.config.agent), AGENT_TIMEOUT, cache=False, state_dir="")
        self._cleanup.callback(client.close)
        self._wait_for_route(client, deadline)
        self._callers = Callers(client, MODULE, self._names)
        self._cleanup.callback(self._callers.stop)
        self._callers.start()
        self._event("calls are running: each asks Lars for a node, calls it and reports the result")

    def _start_node(self, name: str) -> None:
        node = self._nodes[name] = Node(name)
        self._names[node.address] = name
        self._cleanup.callback(node.stop)

    def _add_route(self, *names: str) -> RouteAdd:
        addresses = [self._nodes[name].address for name in names]
        self._adding = RouteAdd(self._stack.config.database, *MODULE, addresses)
        self._cleanup.callback(self._adding.stop)
        self._event(self._adding.text)
        return self._adding

    def _wait_for_route(self, client: LarsClient, deadline: float) -> None:
        while True:
            self._stack.check()
            try:
                known = len(client.get_route(*MODULE))
                problem = f"the agent knows {known} of {len(FIRST_NODES)} nodes of module {MODULE}"
            except AgentUnavailable as error:
                known, problem = 0, str(error)
            if known == len(FIRST_NODES):
                return
            if time.monotonic() > deadline:
                raise self._stack.failed(f"{problem} after `{self._adding.text}`")
            time.sleep(0.05)

    def _observe(self) -> tuple[float, float | None, float | None]:
        """Shows what happened; returns now, and when the failing node was restored and the added one first called."""
        self._stack.check()
        self._adding.check()
        now = time.monotonic()
        with self._callers.record() as record:
            snapshot = self._snapshot(record, now)
            changes = record.ejections.changes[self._shown_changes :]
            events = [self._change_event(record, change) for change in changes]
            joined = joined_at(record, self._timeline)
            restoration = restored(record, self._timeline)
        self._shown_changes += len(changes)
        for event in events:
            self._event(event)
        if joined and self._timeline.added_at and not self._shown_join:
            self._shown_join = True
            self._event(f"{ADDED} gets its first call, {joined - self._timeline.added_at:.2f} s after `route add`")
        self._view.show(snapshot)
        return now, restoration.time if restoration else None, joined

    def _change_event(self, record: Record, change: Change) -> str:
        if change.transition is Transition.EJECTED:
            failed = sum(number < change.number for number in record.failures.get(change.node, ()))
            after = _after(change, self._timeline.failed_at, "it started to fail")
            return f"{change.node} is ejected and only probed, after {failed} failed calls{after}"
        return f"{change.node} is restored{_after(change, self._timeline.recovered_at, 'it recovered')}"

    def _snapshot(self, record: Record, now: float) -> Snapshot:
        recent = record.recent_calls(now)
        total = recent.total() or 1
        nodes = (
            NodeRow(
                name,
                node.address,
                record.calls[name],
                record.failed_calls(name),
                recent[name] / total,
                record.ejections.is_ejected(name),
                node.failing,
            )
            for name, node in self._nodes.items()
        )
        return Snapshot(now - self._started, record.rate(now), record.unanswered.total(), tuple(nodes))

    def _fail(self) -> None:
        with self._callers.record() as record:
            steady = dict(record.calls)
            self._timeline = replace(self._timeline, failed_at=time.monotonic(), steady_calls=steady)
            self._nodes[FAILING].failing = True
        self._event(f"{FAILING} starts to fail: it closes connections without an answer")

    def _recover(self) -> None:
        self._nodes[FAILING].failing = False
        self._timeline = replace(self._timeline, recovered_at=time.monotonic())
        self._event(f"{FAILING} recovers: it answers again")

    def _add(self) -> None:
        self._start_node(ADDED)
        self._timeline = replace(self._timeline, added_at=time.monotonic())
        self._add_route(ADDED)

    def _event(self, event: str) -> None:
        self._view.add_event(time.monotonic() - self._started, event)


def _after(change: Change, since: float | None, what: str) -> str:
    return "" if since is None or change.time < since else f", {change.time - since:.2f} s after {what}"
