"""The benchmark's C programs, compiled where they are needed."""

import shutil
import subprocess
from pathlib import Path

from bench.errors import BenchError


def compiled(name: str, folder: Path) -> str:
    """Compiles NAME.c of this folder into another folder; the program's path. BenchError if there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        raise BenchError("a C compiler is missing: run `apt-get install gcc libc6-dev`")
    source, program = Path(__file__).with_name(f"{name}.c"), folder / name
    done = subprocess.run(
        [compiler, "-O2", "-o", str(program), str(source), "-lpthread"], capture_output=True, text=True, timeout=60
    )
    if done.returncode != 0:
        raise BenchError(f"{source.name} does not compile: {' | '.join(done.stderr.strip().splitlines()[:3])}")
    return str(program)
