"""`python -m tests.fuzz PARSER RUNS [SEED]`: inputs to a parser, guided by the branches that they reach (atheris).

An input that a parser may not raise for ends the run with status 77, and is left in a file crash-… of this folder.
"""

import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lars"]):
    from tests.fuzz.parsers import PARSERS

LONGEST = 4096
"""Bytes of an input; the parsers' limits of length have tests of their own."""


def main(name: str, runs: str, seed: str = "1") -> None:
    """Fuzzes one parser; does not return."""
    logging.disable()
    parser = PARSERS[name]
    with tempfile.TemporaryDirectory(prefix="lars-fuzz-") as folder:
        for number, accepted in enumerate(parser.seeds):
            (Path(folder) / str(number)).write_bytes(accepted)
        arguments = [
            sys.argv[0],
            f"-runs={runs}",
            f"-max_len={LONGEST}",
            "-timeout=10",
            "-rss_limit_mb=1024",
            f"-seed={seed}",
        ]
        atheris.Setup([*arguments, "-print_final_stats=1", "-verbosity=0", folder], parser)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
