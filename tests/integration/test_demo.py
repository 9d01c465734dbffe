"""`lars demo` as a person runs it: the whole of it once, and its end when it is cut off."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

LIMIT = 50
"""Seconds in which the demo ends by itself."""


class RunningDemo:
    """A `lars demo` in a process of its own, whose temporary files are in `folder`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lars.cli", "demo", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(folder)},
        )

    def wait_for_calls(self) -> None:
        """Returns when the calls are running."""
        self.wait_for("calls are running")

    def wait_for(self, words: str) -> str:
        """The first line that has these words; waits for it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if words in line:
                return line
        raise AssertionError(f"the demo ended early: {self.process.communicate()[1]}")

    def children(self) -> set[int]:
        """The processes that have something of the demo's folder on their command line, itself apart."""
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self.process.pid:
                try:
                    command = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.folder).encode() in command:
                    found.add(int(entry.name))
        return found

    def assert_nothing_left(self, but_files: bool = False) -> None:
        deadline = time.monotonic() + 10
        while (left := self.children()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left
        assert but_files or not list(self.folder.iterdir())


def test_all_of_it_happens(tmp_path: Path) -> None:
    began = time.monotonic()
    demo = RunningDemo(tmp_path, "--json")
    out, events = demo.process.communicate(timeout=LIMIT + 10)
    assert time.monotonic() - began < LIMIT
    summary = json.loads(out)
    assert summary["missed"] == [], events
    assert demo.process.returncode == 0
    assert 2 <= summary["failures_before_set_aside"] <= 5, "one process alone ejects no node"
    assert 1 <= summary["failures_after_set_aside"] <= 10
    assert summary["slow_share"] < summary["equal_share"] / 2
    for event in (
        "node 3 is ejected after",
        "node 3 is probed by one call, which fails",
        "node 2 is fast again; while slow it got",
        "node 3 is restored by a probe that succeeds",
        "node 3 has its full share of calls again",
    ):
        assert event in events
    demo.assert_nothing_left()


def test_it_stays_on_request_with_the_console_until_it_is_interrupted(tmp_path: Path) -> None:
    demo = RunningDemo(tmp_path, "--stay")
    events = demo.wait_for("the demo keeps running")
    address = re.search(r"http://127\.0\.0\.1:\d+/setup/[\w-]+", events)
    assert address is not None, events
    with urllib.request.urlopen(address[0], timeout=10) as answer:
        assert "New password" in answer.read().decode()
    demo.process.send_signal(signal.SIGINT)
    out, errors = demo.process.communicate(timeout=15)
    assert demo.process.returncode == 0, errors
    assert "everything happened as expected" in out
    demo.assert_nothing_left()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_and_all_that_it_started(tmp_path: Path, number: signal.Signals, status: int) -> None:
    demo = RunningDemo(tmp_path)
    demo.wait_for_calls()
    assert demo.children()
    demo.process.send_signal(number)
    _out, events = demo.process.communicate(timeout=15)
    assert demo.process.returncode == status
    assert "Traceback" not in events
    demo.assert_nothing_left()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can signal a process when its parent ends")
def test_a_kill_leaves_no_process(tmp_path: Path) -> None:
    demo = RunningDemo(tmp_path)
    demo.wait_for_calls()
    assert demo.children()
    demo.process.kill()
    demo.process.communicate(timeout=15)
    demo.assert_nothing_left(but_files=True)
