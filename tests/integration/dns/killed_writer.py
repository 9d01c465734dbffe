"""`python -m tests.integration.dns.killed_writer FILE KILLS`: kills processes at any moment of saving a table."""

import os
import random
import signal
import sys
import time
from itertools import count
from pathlib import Path

from lars.dns.packed_route import pack
from lars.dns.table_file import decode_table, encode_table, save_table
from lars.route import ModuleId

MODULES = 500


def write_for_ever(path: Path) -> None:
    """Saves one table after the other, each of another length."""
    for version in count(1):
        packed = pack([(ip, 80, 100, "") for ip in range(1, version % 50 + 2)])
        routes = [(ModuleId(1, number), packed) for number in range(1, MODULES + 1)]
        save_table(path, encode_table(version, routes, MODULES))


def main(path: Path, kills: int) -> int:
    """How often a kill left a temporary file, after checking each time that the file is whole."""
    hits = 0
    for _ in range(kills):
        writer = os.fork()
        if not writer:
            write_for_ever(path)
        while not path.exists():
            time.sleep(0.001)
        time.sleep(0.01 + random.random() / 100)
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        _version, routes = decode_table(path.read_bytes())
        assert len(routes) == MODULES
        hits += path.with_name(f"{path.name}.new{writer}").exists()
    return hits


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]), int(sys.argv[2]))}\n")
