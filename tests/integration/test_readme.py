"""README's commands and programs, as they stand and in their order, in a clean folder."""

import os
import re
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.integration.own_network import in_own_network
from tests.integration.processes import Child

README = Path(__file__).parents[2] / "README.md"
INSTALLED = "make venv && . .venv/bin/activate"  # what `make test` itself has done


def block(heading: str) -> str:
    """The indented lines of a section."""
    section = re.split(r"^## ", README.read_text(encoding="utf-8"), flags=re.M)
    [text] = [part for part in section if part.startswith(f"{heading}\n")]
    return dedent("\n".join(line for line in text.splitlines() if line.startswith("    ") or not line))


async def test_first_run_and_first_program_work_when_pasted_in_one(reactor: Any, tmp_path: Path) -> None:
    commands = block("A first run")
    assert INSTALLED in commands
    program = tmp_path / "program.py"
    program.write_text(block("From Python"), encoding="utf-8")
    script = tmp_path / "script"
    script.write_text(f"{commands.replace(INSTALLED, '')}\npython {program}\necho all done\n", encoding="utf-8")
    unset = [f"--unset={name}" for name in ("LARS_DB", "LARS_AGENT", "LARS_STATE_DIR")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = in_own_network(["env", *unset, f"PATH={path}", "bash", "-e", str(script)])
    with Child(reactor, "bash", command, tmp_path) as bash:
        bash.start()
        await bash.says("all done", deadline=40)
        assert "added 2 hosts to (1, 1)" in bash.log()
        assert "Traceback" not in bash.log()
