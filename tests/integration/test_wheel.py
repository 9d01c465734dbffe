"""A wheel built from the checkout and installed elsewhere is whole: plugins, commands, schemas and conf files."""

import email
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import lars

CHECKOUT = Path(lars.__file__).parents[1]


def run(command: list[str | Path], cwd: Path, status: int = 0) -> str:
    """What the command says; its environment knows nothing of the checkout."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LARS_DB", "LARS_AGENT")}
    done = subprocess.run(
        command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == status, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr * (status != 0)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with the hatchling that is installed, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder], CHECKOUT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and of ours what the wheel requires."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    executable = folder / "bin" / "python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", executable]
    run([*pip, "install", "--quiet", "--no-index", "--no-deps", wheel], folder)
    ours = sysconfig.get_path("purelib")
    theirs = run([executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip()
    # A plain path: what is installed there for editing, lars itself perhaps, is not found through it.
    Path(theirs, "requirements.pth").write_text(f"{ours}\n", encoding="utf-8")
    return executable


@pytest.fixture(scope="module")
def light_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel and what it requires without extras: protobuf."""
    folder = tmp_path_factory.mktemp("light")
    venv.create(folder, with_pip=False, symlinks=True)
    executable = folder / "bin" / "python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", executable]
    run([*pip, "install", "--quiet", "--no-index", "--no-deps", wheel], folder)
    theirs = run([executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip()
    Path(theirs, "google").symlink_to(Path(sysconfig.get_path("purelib"), "google"))
    return executable


def test_light_installation_has_the_client_and_says_what_else_needs(light_python: Path, tmp_path: Path) -> None:
    ask = """
from lars.client import AgentUnavailable, LarsClient
with LarsClient("127.0.0.1:1", state_dir="") as client:
    try:
        client.get_host(1, 1)
    except AgentUnavailable as error:
        print(error)
"""
    assert "the agent at 127.0.0.1:3 cannot be reached" in run([light_python, "-c", ask], tmp_path)
    command = light_python.with_name("lars")
    [line] = run([command, "get-host", "1", "1"], tmp_path, status=1).splitlines()
    assert line.startswith("lars: click is not installed")
    assert line.endswith("pip install 'lars-balancer[services]'")
    run_lars = light_python.with_name("run_lars")
    assert "Traceback" not in run([run_lars, "status"], tmp_path)


def test_source_distribution_has_what_builds_checks_and_documents(tmp_path: Path) -> None:
    run([sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", tmp_path], CHECKOUT)
    [built] = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "Makefile",
        "run_lars",
        ".pre-commit-config.yaml",
        ".ci/need",
        "tox.ini",
        "docs/conf.py",
        "docs/overview-light.png",
    } <= inside
    assert {"tests/unit/__init__.py", "conf/lars-dns.conf", "sql/mysql.sql", "proto/lars.proto"} <= inside


def test_every_schema_and_conf_file_is_in_it(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel).namelist()
    files = [path for folder in ("sql", "conf") for path in (CHECKOUT / folder).iterdir()]
    assert len(files) >= 5
    for path in files:
        assert f"lars/shipped/{path.parent.name}/{path.name}" in inside


def test_long_description_has_no_link_or_picture_that_only_the_repository_has(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
    assert metadata["Description-Content-Type"] == "text/markdown"
    text = metadata.get_payload()
    assert isinstance(text, str)
    assert "commands (docs/commands.md)" in text
    assert "overview-light" not in text
    assert not re.findall(r"\]\((?!https?:|#)", text)


def test_every_module_is_in_it_and_nothing_that_was_made_by_running(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {
        str(path.relative_to(CHECKOUT))
        for folder in ("lars", "twisted")
        for pattern in ("*.py", "*.pyi", "py.typed")
        for path in (CHECKOUT / folder).rglob(pattern)
    }
    assert modules <= inside
    assert [name for name in inside if name.startswith("twisted/")] == ["twisted/plugins/lars_services.py"]
    assert not [name for name in inside if "__pycache__" in name or name.endswith(("dropin.cache", ".pyc"))]


def test_installed_code_and_files_are_those_of_the_wheel(python: Path, tmp_path: Path) -> None:
    look = """
import json, lars
from lars.shipped import shipped
print(json.dumps([lars.__file__, str(shipped("sql", "mysql.sql")), str(shipped("conf", "lars-dns.conf"))]))
"""
    for path in json.loads(run([python, "-c", look], tmp_path)):
        assert Path(path).is_relative_to(python.parents[1])
        assert Path(path).is_file()


def test_twistd_lists_every_service(python: Path, tmp_path: Path) -> None:
    twistd = "import sys; sys.argv[0] = 'twistd'; from twisted.scripts.twistd import run; run()"
    listed = run([python, "-c", twistd, "--help"], tmp_path)
    for service in ("lars", "lars-dns", "lars-reporter", "lars-agent"):
        assert f"\n    {service} " in listed
    assert "--listen=" in run([python, "-c", twistd, "lars-dns", "--help"], tmp_path)


def test_conf_files_and_start_script_come_with_it(python: Path, tmp_path: Path) -> None:
    command = python.with_name("lars")
    assert "[agent]" in run([command, "conf", "show", "agent"], tmp_path)
    run([command, "conf", "copy"], tmp_path)
    assert sorted(path.name for path in (tmp_path / "conf").iterdir()) == sorted(
        path.name for path in (CHECKOUT / "conf").iterdir()
    )
    script = python.with_name("run_lars")
    assert "lars-dns is not running" in run([script, "status"], tmp_path)
    assert "cannot be reached" in run([script, "test", "gethost", "1", "1"], tmp_path, status=1)


def test_the_lars_command_makes_a_database_from_the_shipped_schema(python: Path, tmp_path: Path) -> None:
    command = python.with_name("lars")
    url = f"sqlite:///{tmp_path}/new.db"
    run([command, "db", "init", "--db", url], tmp_path)
    run([command, "route", "add", "1", "1", "10.0.0.1:80", "--db", url], tmp_path)
    assert "10.0.0.1:80" in run([command, "route", "list", "--db", url], tmp_path)
