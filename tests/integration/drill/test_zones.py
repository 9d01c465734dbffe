"""A zone is cut off and comes back: the drill of zones, as `python -m tests.drill zones` runs it."""

import json
import sys
from pathlib import Path
from typing import Any

from bench.processes.twistd import checkout_environ
from tests.integration.processes import Child


async def test_zone_that_is_cut_off_costs_the_others_no_call_and_comes_back_without_a_storm(
    reactor: Any, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.drill", "zones", "--json"]
    with Child(reactor, "drill", command, tmp_path, checkout_environ()) as drill:
        drill.start()
        status = await drill.ended(110)
    assert status in (0, 1), drill.log()
    assert json.loads(drill.log())["violations"] == [], drill.log()
