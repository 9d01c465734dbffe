"""The container file and the compose file: what they copy is there, and every service takes its command."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own
from twisted.python import usage

from lars.agent.tap import Options as AgentOptions
from lars.dns.tap import Options as DnsOptions
from lars.reporter.tap import Options as ReporterOptions
from lars.settings import ServiceOptions
from lars.web.tap import Options as WebOptions

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "container"
OPTIONS: dict[str, type[ServiceOptions]] = {
    "lars-dns": DnsOptions,
    "lars-reporter": ReporterOptions,
    "lars-agent": AgentOptions,
    "lars-web": WebOptions,
}


def compose() -> Any:
    return yaml.safe_load((FOLDER / "compose.yml").read_text(encoding="utf-8"))


def with_secrets(argument: str, url: Path) -> str:
    """An argument, with a file of this machine where the container has the secret."""
    return argument.replace("/run/secrets/db-url", str(url))


def test_every_service_takes_its_command(tmp_path: Path) -> None:
    url = tmp_path / "db-url"
    url.write_text("mysql://lars:secret@db:3306/lars_dns\n", encoding="utf-8")
    services = compose()["services"]
    commands = [service["command"] for name, service in services.items() if name in ("dns", "reporter", "agent", "web")]
    assert {command[0] for command in commands} == set(OPTIONS)
    for name, *arguments in commands:
        options = OPTIONS[name]()
        options.parseOptions([with_secrets(argument, url) for argument in arguments])
        assert "0.0.0.0" in str(options.settings.listen) or "interface" not in str(options.settings.listen)
        with pytest.raises(usage.UsageError):
            OPTIONS[name]().parseOptions([*arguments, "--no-such-option=1"])


def test_services_find_each_other_and_every_volume_and_secret_is_declared() -> None:
    read = compose()
    services = read["services"]
    agent = " ".join(services["agent"]["command"])
    for name, port in re.findall(r"--(?:dns|reporter)=(\w+):(\d+)", agent):
        assert f"tcp:{port}" in services[name]["command"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= services.keys()
        assert set(service.get("secrets", ())) <= read["secrets"].keys()
        named = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert named <= read["volumes"].keys()


def test_containerfile_has_known_instructions_and_copies_from_stages_that_are_there() -> None:
    text = (FOLDER / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    known = {"FROM", "COPY", "RUN", "ENV", "USER", "WORKDIR", "VOLUME", "ENTRYPOINT", "CMD"}
    instructions = [line.split(maxsplit=1) for line in lines]
    assert {name for name, _rest in instructions} == known
    stages = {rest.split()[-1] for name, rest in instructions if name == "FROM" and " AS " in rest}
    for name, rest in instructions:
        if name == "COPY" and (stage := re.match(r"--from=(\S+)", rest)):
            assert stage[1] in stages
        if name == "RUN":
            shlex.split(rest)  # raises ValueError for a quote that is not closed
    [user] = [rest for name, rest in instructions if name == "USER"]
    assert int(user) > 0
    ignored = (FOLDER / "Containerfile.dockerignore").read_text(encoding="utf-8").split()
    needed = ("README.md", "LICENSE", "hatch_build.py", "pyproject.toml", "run_lars", "sql", "conf", "lars", "twisted")
    assert all((ROOT / name).exists() for name in needed)
    assert not set(needed) & set(ignored)  # what the wheel is built of
