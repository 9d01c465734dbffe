"""The blocking client: one UDP socket for each thread and shard, no thread of its own, and no call that never ends."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar
from weakref import WeakSet

from lars.client.address import AgentAddress, agent_address
from lars.client.errors import AgentUnavailable
from lars.client.exchange import Host, HostQuestion, Question, RouteQuestion, encode_report, no_such_module
from lars.client.link import Link, Links
from lars.errors import SettingsError
from lars.route import ModuleId, module_id

T = TypeVar("T")

DEFAULT_TIMEOUT = 0.2
REGISTER_TIMEOUT = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1


class LarsClient:
    """Asks this machine's agent which host to call, and tells it how the call went.

    May be shared by threads and kept across a fork; each thread and process gets sockets of its own.

    Args:
        agent: "IP:BASEPORT" or (ip, base port); without it, the environment's LARS_AGENT, else 127.0.0.1:8888.
        timeout: seconds that one call may take at most; half-way an unanswered question is sent once more.

    Raises SettingsError if these cannot be used. Every method may raise AgentUnavailable, and InvalidRoute for ids
    that no module can have.
    """

    def __init__(self, agent: str | tuple[str, int] | None = None, timeout: float = DEFAULT_TIMEOUT) -> None:
        if not 0 < timeout < 86_400:
            raise SettingsError(f"timeout {timeout} cannot be used: give seconds above 0 and below a day")
        self._agent = agent_address(agent)
        self._timeout = timeout
        self._closed = False
        self._start_process()

    def _start_process(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._all: WeakSet[Links] = WeakSet()

    def get_host(self, modid: int, cmdid: int) -> Host:
        """The host to call now; raises NoSuchModule or Overloaded if there is none."""
        module = module_id(modid, cmdid)
        link = self._link(module)
        link.seq += 1
        return self._ask(link, HostQuestion(module, link.seq))

    def get_route(self, modid: int, cmdid: int) -> list[Host]:
        """All hosts of the module; none if the agent knows of none, or not yet: see register."""
        module = module_id(modid, cmdid)
        link = self._link(module)
        try:
            link.drain()  # an old answer to the same question looks like a new one
        except OSError as error:
            raise self._unavailable(link.peer, error) from None
        return self._ask(link, RouteQuestion(module))

    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        """Tells how the call to a host went; sent once, and not acknowledged.

        Args:
            host: as get_host gave it.
            retcode: 0 for success; any other number is a failure.
            cost: seconds that the call took, so that a host that times out is set aside sooner.
        """
        link = self._link(host.module)
        datagram = encode_report(host, retcode, cost)
        try:
            try:
                link.socket.send(datagram)
            except ConnectionRefusedError:  # what became of an earlier datagram; this one was not sent
                link.socket.send(datagram)
        except OSError as error:
            raise self._unavailable(link.peer, error) from None

    def register(self, modid: int, cmdid: int, timeout: float = REGISTER_TIMEOUT) -> None:
        """Waits until the agent has the module's hosts, which it pulls when first asked about a module.

        To call once at start, so that the first get_host is not refused. Raises NoSuchModule if the agent still has
        none after `timeout` seconds, AgentUnavailable if it has not answered until then.
        """
        deadline = time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while True:
            try:
                if self.get_route(modid, cmdid):
                    return
                refusal: AgentUnavailable | None = None
            except AgentUnavailable as error:
                refusal = error
            left = deadline - time.monotonic()
            if left <= 0 or self._closed:
                raise refusal or no_such_module(module_id(modid, cmdid))
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)

    @contextmanager
    def call(self, modid: int, cmdid: int) -> Iterator[Host]:
        """A host for the time of a with block, reported with the time taken; as failed if an exception ends the block.

        What is no Exception (KeyboardInterrupt, SystemExit) says nothing about the host and reports nothing.
        """
        host = self.get_host(modid, cmdid)
        began = time.monotonic()
        try:
            yield host
        except Exception:
            self._report_if_possible(host, 1, time.monotonic() - began)
            raise
        self._report_if_possible(host, 0, time.monotonic() - began)

    def close(self) -> None:
        """Closes the sockets of all threads; a call that another thread is in ends with AgentUnavailable."""
        self._closed = True
        with self._lock:
            for links in tuple(self._all):
                links.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _link(self, module: ModuleId) -> Link:
        if self._process != os.getpid():  # forked: the parent's sockets bring answers to either process
            self._start_process()
        peer = self._agent.shard(module)
        links: Links | None = getattr(self._mine, "links", None)
        link = links.by_port.get(peer.port) if links else None
        return link or self._new_link(peer)

    def _new_link(self, peer: AgentAddress) -> Link:
        with self._lock:
            if self._closed:
                raise self._unavailable(peer, None)
            if not hasattr(self._mine, "links"):
                self._mine.links = Links()
                self._all.add(self._mine.links)
            try:
                link = Link(peer, self._timeout / 2)
            except OSError as error:
                raise self._unavailable(peer, error) from None
            self._mine.links.by_port[peer.port] = link
            return link

    def _ask(self, link: Link, question: Question[T]) -> T:
        deadline = time.monotonic() + self._timeout
        refused: OSError | None = None
        for until in (deadline - link.wait, deadline):
            try:
                answer = link.ask(question, until)
            except ConnectionRefusedError as error:  # maybe of an earlier datagram, and so worth the second try
                refused = error
                continue
            except OSError as error:
                raise self._unavailable(link.peer, error) from None
            if answer is not None:
                return answer
            refused = None
        raise self._unavailable(link.peer, refused)

    def _unavailable(self, peer: AgentAddress, error: OSError | None) -> AgentUnavailable:
        if self._closed:
            return AgentUnavailable("this LarsClient is closed: make a new one")
        advice = "start lars-agent there, or say where it is (LARS_AGENT, --agent or LarsClient(agent=...))"
        if error is None:
            return AgentUnavailable(f"no answer from the agent at {peer} within {self._timeout:g} s: {advice}")
        return AgentUnavailable(f"the agent at {peer} cannot be reached ({error.strerror or error}): {advice}")

    def _report_if_possible(self, host: Host, retcode: int, cost: float) -> None:
        try:
            self.report(host, retcode, cost)
        except AgentUnavailable:
            return  # the call's own outcome is what the caller must see
