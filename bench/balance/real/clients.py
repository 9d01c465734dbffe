"""How callers choose a host: by the Python client, by the C++ client, or by leaving it to a proxy."""

import subprocess
import threading
from pathlib import Path
from typing import Protocol

from bench.errors import BenchError
from lars.client import AgentUnavailable, Host, LarsClient, NoSuchModule, Overloaded
from lars.route import ModuleId, parse_host

MODULE = ModuleId(1, 1)
AGENT_TIMEOUT = 0.5
"""Seconds until a question to the agent fails."""

CPP_DRIVER = Path(__file__).resolve().parents[3] / "clients" / "cpp" / "build" / "release" / "tests" / "driver"

CLIENTS = {
    "asking": "the Python client, asking the agent for each call",
    "cached": "the Python client with its cache",
    "cpp": "the C++ client",
    "envoy": "no client: all calls go through one Envoy",
}
"""What the names mean."""


class Chooser(Protocol):
    """Chooses hosts for many threads at once."""

    def choose(self) -> Host | None:
        """The host to call, or None if there is none."""

    def report(self, host: Host, failed: bool, cost: float) -> None:
        """Takes how the call went; `cost` in seconds."""

    def close(self) -> None:
        """Ends it."""


class PythonClient(Chooser):
    """lars.client.LarsClient."""

    def __init__(self, agent: str, cache: bool) -> None:
        self._client = LarsClient(agent, AGENT_TIMEOUT, cache=cache, state_dir="")

    def choose(self) -> Host | None:
        try:
            return self._client.get_host(*MODULE)
        except (AgentUnavailable, NoSuchModule, Overloaded):
            return None

    def report(self, host: Host, failed: bool, cost: float) -> None:
        self._client.report(host, int(failed), cost)

    def close(self) -> None:
        self._client.close()


class CppClient(Chooser):
    """The driver of clients/cpp, one question at a time: it takes microseconds."""

    def __init__(self, agent: str) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [str(CPP_DRIVER)],
            env={"LARS_AGENT": agent},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def choose(self) -> Host | None:
        outcome, _, host = self._asked(f"get_host {MODULE.modid} {MODULE.cmdid}").partition(" ")
        return Host(MODULE, parse_host(host)) if outcome == "ok" else None

    def report(self, host: Host, failed: bool, cost: float) -> None:
        self._asked(f"report {MODULE.modid} {MODULE.cmdid} {host} {int(failed)} {cost:.6f}")

    def _asked(self, question: str) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._lock:
            stdin.write(question + "\n")
            found = stdout.readline()
        if not found:
            raise BenchError("the driver of the C++ client has ended")
        return found.strip()

    def close(self) -> None:
        with self._process:
            self._process.kill()


class Proxied(Chooser):
    """A proxy, which chooses by itself and sees how calls go."""

    def __init__(self, address: str) -> None:
        self._host = Host(MODULE, parse_host(address))

    def choose(self) -> Host:
        return self._host

    def report(self, host: Host, failed: bool, cost: float) -> None:
        pass

    def close(self) -> None:
        pass


def chooser(name: str, address: str) -> Chooser:
    """The chooser of a name in CLIENTS, with the agent or the proxy at an address."""
    if name == "envoy":
        return Proxied(address)
    return CppClient(address) if name == "cpp" else PythonClient(address, cache=name == "cached")
