"""What a checkout says to a user who may install nothing: all that is missing, in one line."""

import shutil
import subprocess
from pathlib import Path

import pytest

NEED = Path(__file__).parents[2] / ".ci" / "need"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A PATH with the few programs that the script uses, and no apt-get, so that root installs nothing either."""
    for name in ("sh", "id", "tr", "dirname"):
        found = shutil.which(name)
        assert found
        (tmp_path / name).symlink_to(found)
    return tmp_path


def need(folder: Path, *needs: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "sh", NEED, *needs],
        env={"PATH": str(folder), **environ},
        capture_output=True,
        text=True,
        timeout=10,
    )


def program(folder: Path, name: str, script: str) -> str:
    path = folder / name
    path.write_text(f"#!{folder}/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_one_line_names_what_is_missing_now_and_what_will_be_asked_for_next(folder: Path) -> None:
    said = need(folder, "no-such-a:pkg-a,pkg-b", "sh:dash", "/no/such:pkg-b", ALSO="no-such-c:pkg-c sh:dash")
    assert said.returncode == 1
    line = "Debian packages are missing; type: sudo apt-get install -y --no-install-recommends pkg-a pkg-b pkg-c\n"
    assert said.stderr == line


def test_what_is_only_asked_for_next_stops_nothing(folder: Path) -> None:
    said = need(folder, "sh:dash", ALSO="no-such-c:pkg-c")
    assert (said.returncode, said.stderr) == (0, "")


def test_python_that_is_too_old_is_named_and_no_package(folder: Path) -> None:
    old = program(folder, "python3.9", '[ "$1" = --version ] && echo Python 3.9.2 || exit 1')
    for environ in ({"PYTHON": old}, {}):
        (folder / "python3").unlink(missing_ok=True)
        (folder / "python3").symlink_to(old)
        said = need(folder, "python=ensurepip:python3,python3-venv", **environ)
        name = environ.get("PYTHON", "python3")
        expected = f"{name} is Python 3.9.2, and Lars needs Python 3.11 or later: make PYTHON=/path/to/python\n"
        assert (said.returncode, said.stderr) == (1, expected)


def test_python_that_is_not_there_is_a_package_unless_it_was_given(folder: Path) -> None:
    assert "recommends python3 python3-venv\n" in need(folder, "python=ensurepip:python3,python3-venv").stderr
    said = need(folder, "python=ensurepip:python3,python3-venv", PYTHON="/no/such/python")
    assert said.stderr == "PYTHON=/no/such/python is not there: give the path of Python 3.11 or later\n"
