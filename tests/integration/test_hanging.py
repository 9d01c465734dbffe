"""A test that hangs ends with the stacks of its process, and so does `make test`."""

import subprocess
import sys
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_hanging_test_is_ended_with_a_stack(tmp_path: Path) -> None:
    (tmp_path / "test_hangs.py").write_text(
        "import threading\n\n\ndef test_hangs():\n    threading.Event().wait()\n", encoding="utf-8"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-c",
        str(PYPROJECT),
        "-o",
        "faulthandler_timeout=0.5",
        "-p",
        "no:cacheprovider",
    ]
    ended = subprocess.run([*command, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "Timeout (0:00:00.5" in ended.stderr
    assert "in test_hangs" in ended.stderr
