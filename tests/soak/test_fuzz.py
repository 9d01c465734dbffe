"""Ten million inputs to the parsers of tests/fuzz, guided by the branches that they reach."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.parsers import PARSERS

PARTS = 5
"""Runs of each parser, from different random numbers, so that none takes a minute."""

SLOW = {"endpoints": 1_000, "conf_files": 40_000}
"""Inputs to those parsers that take long for each, in a part."""

EACH = 10_000_000 // PARTS // (len(PARSERS) - len(SLOW))


@pytest.mark.parametrize("part", range(1, PARTS + 1))
@pytest.mark.parametrize("name", PARSERS)
def test_parser_raises_nothing_but_errors_of_lars(name: str, part: int, tmp_path: Path) -> None:
    runs = SLOW.get(name, EACH)
    command = [sys.executable, "-m", "tests.fuzz", name, str(runs), str(part)]
    with (tmp_path / "log").open("w+") as log:
        root = Path(__file__).parents[2]
        status = subprocess.run(command, cwd=root, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
        log.seek(0)
        said = log.read()
    assert status == 0, said[-5000:]
    done = re.search(r"number_of_executed_units: (\d+)", said)
    assert done is not None
    assert int(done[1]) >= runs
