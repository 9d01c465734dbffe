"""One run of the demo: real processes, sockets and calls, driven by the scenario and shown by the view."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lars.balancing.host import HostExplanation, HostState
from lars.cli.demo.callers import Callers
from lars.cli.demo.node_states import Change, NodeStates, Transition
from lars.cli.demo.nodes import SERVICE_TIME, SLOWNESS, Condition, Node
from lars.cli.demo.record import Record
from lars.cli.demo.route_add import RouteAdd
from lars.cli.demo.scenario import Scenario, Seen, Step
from lars.cli.demo.stack import Stack, StackConfig
from lars.cli.demo.summary import Summary, Timeline, restored, slow_shares, summarize
from lars.cli.demo.view import NodeRow, Snapshot, View
from lars.client import AgentUnavailable, LarsClient
from lars.client.address import AgentAddress
from lars.client.agent_inspect import explain_module
from lars.route import ModuleId

MODULE = ModuleId(1, 1)
FIRST_NODES = ("node 1", "node 2", "node 3", "node 4")
FAILING = "node 3"
SLOW = "node 2"
ADDED = "node 5"
CALLERS = 6
SET_UP_LIMIT = 20.0
"""Seconds until the stack must have started and the first nodes must be callable."""
AGENT_TIMEOUT = 1.0
"""Seconds until a caller's request fails: the agent needs microseconds, but the machine may be busy."""
EXPLAIN_TIMEOUT = 5.0
"""Seconds until a look at the agent fails."""
FULL_SHARE = 0.8
"""The fraction of an equal share with which a node counts as being fully back, as in `bench balance`."""
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
        self._states = NodeStates()
        self._timeline = Timeline(FAILING, SLOW, ADDED)
        self._seen = Seen()
        self._calls_before_slow: dict[str, int] = {}

    def run(self, stay: bool = False) -> Summary:
        """Runs the scenario and then, with `stay`, keeps calling until Ctrl-C.

        Raises LarsError, mostly StackFailed, if it cannot continue.
        """
        self._set_up()
        scenario = Scenario(time.monotonic())
        steps: dict[Step, Callable[[], None]] = {
            Step.FAIL: self._fail,
            Step.RECOVER: self._recover,
            Step.SLOW_DOWN: self._slow_down,
            Step.SPEED_UP: self._speed_up,
            Step.ADD: self._add,
        }
        while (step := scenario.advance(self._observe(), self._seen)) is not Step.END:
            if step is not None:
                steps[step]()
            time.sleep(TICK)
        if not stay:
            self._callers.stop()
        with self._callers.record() as record:
            summary = summarize(record, self._states, self._timeline)
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
        self._agent = AgentAddress("127.0.0.1", self._stack.config.agent)
        clients = [LarsClient(self._agent, AGENT_TIMEOUT, cache=False, state_dir="") for _ in range(CALLERS)]
        for client in clients:
            self._cleanup.callback(client.close)
        self._wait_for_route(clients[0], deadline)
        self._callers = Callers(clients, MODULE, self._names)
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

    def _observe(self) -> float:
        """Looks at the agent and the callers, shows what happened, and returns the time."""
        self._stack.check()
        self._adding.check()
        explained = explain_module(self._agent, MODULE, EXPLAIN_TIMEOUT).hosts
        hosts = {self._names.get(str(host.address), ""): host for host in explained}
        now = time.monotonic()
        with self._callers.record() as record:
            snapshot = self._snapshot(record, now)
            ejected = {name: hosts[name].state is HostState.EJECTED for name in self._nodes if name in hosts}
            changes = self._states.observe(now, ejected, record)
            share = record.share(FAILING, now)
            joined_at = record.first_call.get(ADDED)
        for change in changes:
            self._show_change(change, hosts[change.node])
        self._show_full_share(now, share)
        if joined_at and self._timeline.added_at and not self._seen.joined_at:
            self._seen = replace(self._seen, joined_at=joined_at)
            self._event(f"{ADDED} gets its first call, {joined_at - self._timeline.added_at:.2f} s after `route add`")
        self._view.show(snapshot)
        return now

    def _show_change(self, change: Change, host: HostExplanation) -> None:
        match change.transition:
            case Transition.EJECTED:
                after = _after(change, self._timeline.failed_at, "it started to fail")
                self._event(f"{change.node} is ejected after {change.failures} failed calls{after}")
            case Transition.PROBE_FAILED:
                self._seen = replace(self._seen, probed_at=self._seen.probed_at or change.time)
                again = "" if host.next_probe is None else f"; the next probe is due in {host.next_probe:.0f} s"
                self._event(f"{change.node} is probed by one call, which fails{again}")
            case Transition.RESTORED:
                after = _after(change, self._timeline.recovered_at, "it recovered")
                self._event(f"{change.node} is restored by a probe that succeeds{after}")

    def _show_full_share(self, now: float, share: float) -> None:
        """Notes when the node that failed has its full share again, once."""
        restoration = restored(self._states, self._timeline)
        if restoration and self._seen.regained_at is None and share >= FULL_SHARE / len(FIRST_NODES):
            self._seen = replace(self._seen, regained_at=now)
            self._timeline = replace(self._timeline, regained_at=now)
            self._event(
                f"{FAILING} has its full share of calls again {now - restoration.time:.2f} s after it was restored"
            )

    def _snapshot(self, record: Record, now: float) -> Snapshot:
        nodes = (
            NodeRow(
                name,
                node.address,
                record.calls[name],
                record.failures[name],
                record.share(name, now),
                self._states.is_ejected(name),
                node.condition,
            )
            for name, node in self._nodes.items()
        )
        return Snapshot(now - self._started, record.rate(now), record.unanswered.total(), tuple(nodes))

    def _fail(self) -> None:
        with self._callers.record() as record:
            steady = dict(record.calls)
            self._timeline = replace(self._timeline, failed_at=time.monotonic(), steady_calls=steady)
            self._nodes[FAILING].condition = Condition.FAILS
        self._event(f"{FAILING} starts to fail: it closes connections without an answer")

    def _recover(self) -> None:
        self._nodes[FAILING].condition = Condition.ANSWERS
        self._timeline = replace(self._timeline, recovered_at=time.monotonic())
        self._event(f"{FAILING} recovers: it will answer the next probe")

    def _slow_down(self) -> None:
        with self._callers.record() as record:
            self._calls_before_slow = dict(record.calls)
        self._nodes[SLOW].condition = Condition.SLOW
        usual = round(SERVICE_TIME * 1000)
        self._event(f"{SLOW} becomes slow: a call takes {usual * SLOWNESS} ms instead of {usual} ms")

    def _speed_up(self) -> None:
        with self._callers.record() as record:
            calls = {name: record.calls[name] - before for name, before in self._calls_before_slow.items()}
        self._nodes[SLOW].condition = Condition.ANSWERS
        self._timeline = replace(self._timeline, slow_calls=calls)
        shares = slow_shares(self._timeline)
        got = f"; while slow it got {shares[0]:.0%} of the calls instead of {shares[1]:.0%}" if shares else ""
        self._event(f"{SLOW} is fast again{got}")

    def _add(self) -> None:
        self._start_node(ADDED)
        self._timeline = replace(self._timeline, added_at=time.monotonic())
        self._add_route(ADDED)

    def _event(self, event: str) -> None:
        self._view.add_event(time.monotonic() - self._started, event)


def _after(change: Change, since: float | None, what: str) -> str:
    return "" if since is None or change.time < since else f", {change.time - since:.2f} s after {what}"
