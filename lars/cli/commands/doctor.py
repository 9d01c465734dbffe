"""`lars doctor`: what is wrong on this machine, and what to do about it."""

import os
from dataclasses import asdict
from pathlib import Path

import click

from lars.cli.arguments import json_option, parsed
from lars.cli.database import run_with_engine
from lars.cli.doctor.databases import database_findings, missing_file, users_by_url
from lars.cli.doctor.findings import Finding, State
from lars.cli.doctor.looks import looked_at
from lars.cli.doctor.services import SERVICES, Service, services_in
from lars.cli.exit_status import DONE, REFUSED
from lars.cli.terminal.output import print_json
from lars.db.database import Database, engine_for
from lars.db.url import DatabaseUrl, parse_url
from lars.errors import SettingsError
from lars.runtime.reactor import monotonic_reactor
from lars.wording import counted

FOLDERS = ("/etc/lars", "conf")
"""Where conf files are looked for, unless --conf says where they are."""


@click.command()
@click.argument("services", nargs=-1, metavar="[SERVICE]...", type=click.Choice(list(SERVICES)))
@click.option(
    "--conf",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the conf files are.  [default: /etc/lars, else conf]",
)
@click.option(
    "--db", "url", metavar="URL", type=parsed(parse_url), envvar="LARS_DB", show_envvar=True, help="A database besides."
)
@json_option
def doctor(services: tuple[str, ...], conf: Path | None, url: DatabaseUrl | None, as_json: bool) -> int:
    """Check this machine: settings, ports, links, database, clock, limits, versions and permissions.

    Looks at the services whose conf files are in FOLDER. A SERVICE that is named must run here: dns, reporter, agent,
    web or gateway; of the others, those that run are looked at. For all that is wrong a line says what to do, and the
    exit status is 1. Nothing is changed.

    \b
    Examples:
      lars doctor agent
      sudo -u lars lars doctor --conf /etc/lars --json
    """
    found, findings = services_in(_folder(conf, url))
    for name in services:
        if f"lars-{name}" not in [s.name for s in found] + [f.about for f in findings]:
            raise SettingsError(f"lars-{name}.conf is not there: give its folder by --conf, or run `lars conf copy`")
    running: list[Service] = []
    for service in found:
        seen = list(looked_at(service, service.name.removeprefix("lars-") in services))
        findings += seen
        if not any(finding.state is State.OFF and finding.check == "ports" for finding in seen):
            running.append(service)
    urls = {service.name: parse_url(service.database) for service in running if service.database}
    findings += _of_databases(urls | ({"--db": url} if url else {}))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        click.echo("\n".join([*map(_line, findings), _sum(findings)]))
    return REFUSED if any(finding.state is State.WRONG for finding in findings) else DONE


def _folder(conf: Path | None, url: DatabaseUrl | None) -> Path:
    folder = conf or next((Path(name) for name in FOLDERS if Path(name).is_dir()), None)
    if folder is None and url is None:
        raise SettingsError("no conf files: neither /etc/lars nor ./conf is there: give their folder by --conf")
    folder = folder or Path("conf")
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        raise SettingsError(
            f"{folder}: this user cannot read it: run `lars doctor` as root, or as the user of the services"
        )
    return folder


def _of_databases(urls: dict[str, DatabaseUrl]) -> list[Finding]:
    users = users_by_url(urls)
    missing = {url: finding for url in users if (finding := missing_file(url)) is not None}
    there = [url for url in users if url not in missing]
    if not there:
        return list(missing.values())

    async def look(first: Database) -> list[Finding]:
        findings = []
        for url in there:
            database = first if url == there[0] else Database(engine_for(url), monotonic_reactor())
            findings += await database_findings(url, users[url], database)
            database.close()
        return findings

    return [*missing.values(), *run_with_engine(engine_for(there[0]), look)]


def _line(finding: Finding) -> str:
    line = f"{finding.state:<5}  {finding.check:<11}  {finding.about}: {finding.what}"
    return f"{line}\n       -> {finding.advice}" if finding.advice else line


def _sum(findings: list[Finding]) -> str:
    wrongs = sum(finding.state is State.WRONG for finding in findings)
    return f"{counted(wrongs, 'fault')} found" if wrongs else "nothing is wrong"
