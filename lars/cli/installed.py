"""What starts as `lars`: the command line, or one line that says what to install for it.

`pip install lars-balancer` brings what lars.client needs; click and all else are extras (docs/operations.md, what to
install).
"""

import sys

from lars.cli.missing_packages import what_to_install


def main() -> None:
    """Runs the command line of sys.argv, and exits."""
    try:
        from lars.cli.main import main as run
    except ModuleNotFoundError as error:
        line = what_to_install(error)
        if line is None:
            raise
        sys.exit(f"lars: {line}")
    run()
