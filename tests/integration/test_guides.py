"""Every command in a guide is one that its program takes: its name, options and number of arguments."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from bench.processes.twistd import checkout_environ
from lars.cli.main import lars

ROOT = Path(__file__).parents[2]
GUIDES = [
    ROOT / "README.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "clients").glob("*/README.md")),
]
COMMAND = re.compile(r"(?:lars|twistd|lars-\w+|run_lars|\./run_lars) ")
WHOLE = re.compile(r"[\w ./:=,'-]+")
"""Of the commands in a sentence those without … and alternatives."""


def commands(guide: Path) -> Iterator[tuple[str, ...]]:
    """The commands of Lars in a guide's blocks and sentences."""
    text = re.sub(r"\\\n\s*", "", guide.read_text(encoding="utf-8"))  # lines that go on
    blocks = [line.strip().removeprefix("$ ") for line in text.splitlines() if line.startswith("    ")]
    inline = [command for command in re.findall(r"`([^`\n]*)`", text) if WHOLE.fullmatch(command)]
    for line in blocks + inline:
        if COMMAND.match(line) and "►" not in line:  # a picture
            first = line.split(" #")[0].split(" | ")[0].rstrip(" &")
            yield tuple(shlex.split(first))


def fault(command: tuple[str, ...]) -> str:
    """What its program says against a command; empty if nothing. `--help` has it do nothing else."""
    program, *arguments = command
    if program == "lars":
        result = CliRunner().invoke(lars, [*arguments, "--help"])
        return "" if result.exit_code == 0 else result.output
    if program != "twistd":
        return "" if program.endswith("run_lars") else f"{program} is no program"
    typed = [str(Path(sys.executable).parent / "twistd"), *arguments, "--help"]
    ended = subprocess.run(typed, env=checkout_environ(), capture_output=True, text=True, timeout=60)
    return "" if ended.returncode == 0 else ended.stderr + ended.stdout


def test_commands_of_every_guide_are_taken() -> None:
    found = {command: guide for guide in GUIDES for command in commands(guide) if "COMMAND" not in command}
    assert len(found) > 50
    faults = {(guide.name, shlex.join(command)): fault(command) for command, guide in found.items()}
    assert {where: text for where, text in faults.items() if text} == {}
