"""`.venv/bin/python -m bench agent|balance|client|dns|reporter|web|wire [FIGURE…]`; see bench/command_line.py."""

import os
import sys
from pathlib import Path

_VENV = Path(__file__).resolve().parents[1] / ".venv"

try:
    from bench.command_line import main
except ImportError as error:  # another Python, which lacks what Lars needs: the virtualenv's has it
    python = _VENV / "bin" / "python"
    if Path(sys.prefix) == _VENV or not python.exists():
        sys.exit(f"bench: {error}: run `make venv`, which installs what is needed")
    os.execv(python, [str(python), "-m", "bench", *sys.argv[1:]])

sys.exit(main())
