"""A wall clock of its own for processes under test, which a test sets; their monotonic clock goes on."""

import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


def build_shim(folder: Path) -> Path:
    """The shared library that processes preload; compiled into a folder."""
    library = folder / "stepped_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True, capture_output=True, text=True)
    return library


class SteppedClock:
    """The wall clock of the processes that get its `environ`: it is `offset` seconds ahead of the machine's."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.environ = {"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(file)}
        self.offset = 0
        self.set(0)

    def set(self, offset: int) -> None:
        """Steps the clock, in all of these processes at once."""
        with self._file.open("r+b" if self._file.exists() else "w+b") as file:  # the processes have mapped it
            file.write(struct.pack("=q", offset))
        self.offset = offset
