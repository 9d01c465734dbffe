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
LOGGED = r"\d{4}-\d\d-\d\dT\S+ \["
"""How a line of the log of `twistd -n lars` begins."""

INSTALLED = "make venv && . .venv/bin/activate"  # what `make test` itself has done


def block(heading: str) -> str:
    """The indented lines of a section."""
    section = re.split(r"^## ", README.read_text(encoding="utf-8"), flags=re.M)
    [text] = [part for part in section if part.startswith(f"{heading}\n")]
    return dedent("\n".join(line for line in text.splitlines() if line.startswith("    ") or not line))


def transcript(heading: str) -> tuple[str, str]:
    """The script that types a section's commands, which begin with $, and what it should print."""
    lines = block(heading).strip().splitlines()
    typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return "\n".join(typed), comparable("\n".join(line for line in lines if not line.startswith("$ ")))


def comparable(output: str) -> str:
    """Without what may differ from one run to the next: which of the two hosts it is, and the width of columns."""
    return re.sub(r"[ \t]+", " ", re.sub(r"(?<=\d:)900[12]|(?<=port\":)900[12]", "9001", output))


async def test_first_run_gateway_and_first_program_work_when_pasted_in_one(reactor: Any, tmp_path: Path) -> None:
    commands = block("A first run")
    assert INSTALLED in commands
    program = tmp_path / "program.py"
    program.write_text(block("From Python"), encoding="utf-8")
    script = tmp_path / "script"
    gateway, answers = transcript("From any language")
    asked = gateway.replace("\n", "\necho\n")  # JSON ends without a newline
    parts = [commands.replace(INSTALLED, ""), "echo '<<<'", asked, "echo '>>>'", f"python {program}", "echo all done\n"]
    script.write_text("\n".join(parts), encoding="utf-8")
    unset = [f"--unset={name}" for name in ("LARS_DB", "LARS_AGENT", "LARS_STATE_DIR")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = in_own_network(["env", *unset, f"PATH={path}", "bash", "-e", str(script)])
    with Child(reactor, "bash", command, tmp_path) as bash:
        bash.start()
        await bash.says("all done", deadline=40)
        assert "added 2 hosts to (1, 1)" in bash.log()
        assert "Traceback" not in bash.log()
        lines = bash.log().split("<<<\n")[1].split(">>>")[0].splitlines()
        shown = [line for line in lines if line and not re.match(LOGGED, line)]
        assert comparable("\n".join(shown)) == answers
