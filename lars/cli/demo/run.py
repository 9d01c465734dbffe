"""One run of the demo: real processes, sockets and calls, moved along by the story, told to the view."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lars.cli.demo.callers import Callers
from lars.cli.demo.ejections import Change, Turn
from lars.cli.demo.nodes import Node
from lars.cli.demo.record import Record
from lars.cli.demo.route_add import RouteAdd
from lars.cli.demo.scenario import Cue, Story
from lars.cli.demo.stack import Places, Stack
from lars.cli.demo.summary import Script, Summary, joined_at, returned, summarize
from lars.cli.demo.view import NodeSeen, Scene, View
from lars.client import AgentUnavailable, LarsClient
from lars.route import ModuleId

MODULE = ModuleId(1, 1)
FIRST_NODES = ("node 1", "node 2", "node 3", "node 4")
FAILING = "node 3"
ADDED = "node 5"
SET_UP_LIMIT = 20.0
"""Seconds that the stack and the first nodes may take until all can be called."""
AGENT_TIMEOUT = 1.0
"""Seconds that a caller gives the agent: it needs microseconds, but the machine may be busy with other things."""
TICK = 0.1


class Play:
    """Sets the stage and plays the story once.

    What it starts is ended by `cleanup`, in every case.
    """

    def __init__(self, folder: Path, view: View, cleanup: ExitStack) -> None:
        self._folder = folder
        self._view = view
        self._cleanup = cleanup
        self._started = time.monotonic()
        self._nodes: dict[str, Node] = {}
        self._names: dict[str, str] = {}  # IP:PORT -> name, for the callers
        self._script = Script(FAILING, ADDED)
        self._told_changes = 0
        self._told_join = False

    def run(self, stay: bool = False) -> Summary:
        """Plays it and then, with `stay`, goes on calling until Ctrl-C.

        Raises LarsError, mostly StackFailed, if it cannot go on.
        """
        self._set_up()
        story = Story(time.monotonic())
        cues: dict[Cue, Callable[[], None]] = {Cue.FAIL: self._fail, Cue.HEAL: self._heal, Cue.ADD: self._add}
        while (cue := story.advance(*self._observe())) is not Cue.END:
            if cue is not None:
                cues[cue]()
            time.sleep(TICK)
        if not stay:
            self._callers.stop()
        with self._callers.record() as record:
            summary = summarize(record, self._script)
        if stay:
            self._stay()
        return summary

    def _stay(self) -> None:
        self._tell(f"Lars stays, and calls go on: look at it on {self._stack.web_address()}; Ctrl-C ends it")
        try:
            while True:
                self._observe()
                time.sleep(TICK)
        except KeyboardInterrupt:
            self._callers.stop()

    def _set_up(self) -> None:
        deadline = time.monotonic() + SET_UP_LIMIT
        self._tell("Lars starts in one process: twistd -n lars")
        self._stack = Stack(Places.free(self._folder))
        self._cleanup.callback(self._stack.stop)
        self._stack.wait_until_up(deadline)
        self._tell(f"the console is on {self._stack.web_address()} while this runs")
        for name in FIRST_NODES:
            self._start_node(name)
        self._add_route(*FIRST_NODES).wait(deadline)
        client = LarsClient(("127.0.0.1", self._stack.places.agent), AGENT_TIMEOUT, cache=False, state_dir="")
        self._cleanup.callback(client.close)
        self._wait_for_route(client, deadline)
        self._callers = Callers(client, MODULE, self._names)
        self._cleanup.callback(self._callers.stop)
        self._callers.start()
        self._tell("calls run: each asks Lars for a node, calls it and reports how that went")

    def _start_node(self, name: str) -> None:
        node = self._nodes[name] = Node(name)
        self._names[node.address] = name
        self._cleanup.callback(node.stop)

    def _add_route(self, *names: str) -> RouteAdd:
        addresses = [self._nodes[name].address for name in names]
        self._adding = RouteAdd(self._stack.places.database, *MODULE, addresses)
        self._cleanup.callback(self._adding.stop)
        self._tell(self._adding.text)
        return self._adding

    def _wait_for_route(self, client: LarsClient, deadline: float) -> None:
        while True:
            self._stack.check()
            try:
                known = len(client.get_route(*MODULE))
                trouble = f"the agent knows {known} of {len(FIRST_NODES)} nodes of module {MODULE}"
            except AgentUnavailable as error:
                known, trouble = 0, str(error)
            if known == len(FIRST_NODES):
                return
            if time.monotonic() > deadline:
                raise self._stack.failed(f"{trouble} after `{self._adding.text}`")
            time.sleep(0.05)

    def _observe(self) -> tuple[float, float | None, float | None]:
        """Tells and shows what has happened: now, when the failing node was back, and when the new one was called."""
        self._stack.check()
        self._adding.check()
        now = time.monotonic()
        with self._callers.record() as record:
            scene = self._scene(record, now)
            changes = record.rotation.changes[self._told_changes :]
            events = [self._change_event(record, change) for change in changes]
            joined = joined_at(record, self._script)
            back = returned(record, self._script)
        self._told_changes += len(changes)
        for event in events:
            self._tell(event)
        if joined and self._script.added_at and not self._told_join:
            self._told_join = True
            self._tell(f"{ADDED} gets its first call, {joined - self._script.added_at:.2f} s after `route add`")
        self._view.show(scene)
        return now, back.time if back else None, joined

    def _change_event(self, record: Record, change: Change) -> str:
        if change.turn is Turn.SET_ASIDE:
            failed = sum(number < change.number for number in record.failures.get(change.node, ()))
            after = _after(change, self._script.failed_at, "it began to fail")
            return f"{change.node} is set aside and only probed, after {failed} failed calls{after}"
        return f"{change.node} is back in rotation{_after(change, self._script.healed_at, 'it was healed')}"

    def _scene(self, record: Record, now: float) -> Scene:
        recent = record.recent_calls(now)
        total = recent.total() or 1
        nodes = (
            NodeSeen(
                name,
                node.address,
                record.calls[name],
                record.failed_calls(name),
                recent[name] / total,
                record.rotation.is_aside(name),
                node.failing,
            )
            for name, node in self._nodes.items()
        )
        return Scene(now - self._started, record.rate(now), record.unanswered.total(), tuple(nodes))

    def _fail(self) -> None:
        with self._callers.record() as record:
            steady = dict(record.calls)
            self._script = replace(self._script, failed_at=time.monotonic(), steady_calls=steady)
            self._nodes[FAILING].failing = True
        self._tell(f"{FAILING} begins to fail: it closes connections without an answer")

    def _heal(self) -> None:
        self._nodes[FAILING].failing = False
        self._script = replace(self._script, healed_at=time.monotonic())
        self._tell(f"{FAILING} is healed: it answers again")

    def _add(self) -> None:
        self._start_node(ADDED)
        self._script = replace(self._script, added_at=time.monotonic())
        self._add_route(ADDED)

    def _tell(self, event: str) -> None:
        self._view.tell(time.monotonic() - self._started, event)


def _after(change: Change, since: float | None, what: str) -> str:
    return "" if since is None or change.time < since else f", {change.time - since:.2f} s after {what}"
