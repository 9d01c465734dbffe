"""The drills, as `python -m tests.drill` runs them."""

import json
import sys
from pathlib import Path
from typing import Any

from bench.processes.twistd import checkout_environ
from tests.integration.processes import Child


async def violations(reactor: Any, folder: Path, name: str) -> Any:
    """What a drill found that should not have been."""
    command = [sys.executable, "-m", "tests.drill", name, "--json"]
    with Child(reactor, "drill", command, folder, checkout_environ()) as drill:
        drill.start()
        status = await drill.ended(110)
        assert status in (0, 1), drill.log()
        return json.loads(drill.log())["violations"]


async def test_faults_of_links_are_what_the_drills_take_them_for(reactor: Any, tmp_path: Path) -> None:
    assert await violations(reactor, tmp_path, "links") == []


async def test_zone_that_is_cut_off_costs_the_others_no_call_and_comes_back_without_a_storm(
    reactor: Any, tmp_path: Path
) -> None:
    assert await violations(reactor, tmp_path, "zones") == []
