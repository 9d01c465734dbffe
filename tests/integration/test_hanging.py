"""A test that hangs ends with the stacks of its process, and so does `make test`."""

import os
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


def test_hanging_unit_test_is_ended_with_a_stack_that_make_shows(tmp_path: Path) -> None:
    (tmp_path / "test_hangs.py").write_text(
        "import threading\n\nfrom twisted.trial.unittest import SynchronousTestCase\n\nimport tests.unit\n\n"
        "tests.unit.HANGS = 0.5\n\n\nclass Hangs(SynchronousTestCase):\n"
        "    def test_hangs(self):\n        threading.Event().wait()\n\n"
        "    def test_is_quick(self):\n        pass\n",
        encoding="utf-8",
    )
    environ = {**os.environ, "PYTHONPATH": str(PYPROJECT.parent)}
    command = [sys.executable, "-m", "twisted.trial", "--jobs=1", "--reporter=text", "test_hangs"]
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "test_hangs.Hangs.test_hangs" in ended.stdout
    [stacks] = tmp_path.glob("_trial_temp/*/err.log")
    assert "in test_hangs" in stacks.read_text(encoding="utf-8")


def test_programs_can_be_interrupted_where_make_runs_in_the_background_of_a_script() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/cli/test_exit_status.py"]
    ignoring = ["bash", "-c", 'trap "" INT && exec "$@"', "bash", *command]
    ended = subprocess.run(ignoring, cwd=PYPROJECT.parent, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout
