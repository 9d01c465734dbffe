"""The users and grants of docs/operations are enough for each service, and for lars-dns no more than that."""

import re
from pathlib import Path
from typing import Any

import pymysql
import pytest

from lars.client import LarsClient
from tests.integration.fleet import Commands, StartService
from tests.integration.mariadb import MariaDb
from tests.integration.processes import ReservedPort, free_udp_base
from tests.integration.waiting import until

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
DATABASE = "lars_dns"


async def test_statements_of_the_documentation_are_what_the_services_need(
    reactor: Any, start_service: StartService, own_mariadb: MariaDb, tmp_path: Path
) -> None:
    before, after = re.findall(r"^```sql\n(.*?)^```", OPERATIONS.read_text(encoding="utf-8"), re.M | re.S)
    passwords = dict(re.findall(r"CREATE USER '(\w+)'@'%' IDENTIFIED BY '([\w-]+)'", before + after))

    def url(user: str) -> str:
        return f"mysql://{user}:{passwords[user]}@127.0.0.1:{own_mariadb.port}/{DATABASE}"

    def administer(statements: str) -> None:
        for statement in statements.split(";\n"):
            if statement.strip():
                own_mariadb.query(statement.replace("%", "%%"))

    administer(before)
    agent = f"127.0.0.1:{free_udp_base(3)}"
    Commands(url("lars_admin"), agent, tmp_path).ok("db", "init")
    administer(after)
    commands = Commands(url("lars_web"), agent, tmp_path)
    with (
        ReservedPort() as dns,
        ReservedPort() as reporter,
        ReservedPort() as web,
        LarsClient(agent, timeout=1, cache=False, state_dir="") as client,
    ):
        services = [
            start_service("lars-dns", "--db", url("lars_dns"), f"--listen={dns.endpoint}"),
            start_service("lars-reporter", "--db", url("lars_reporter"), f"--listen={reporter.endpoint}"),
            start_service("lars-web", "--db", url("lars_web"), f"--listen={web.endpoint}"),
            start_service("lars-gateway", "--db", url("lars_gateway"), "--listen=tcp:0:interface=127.0.0.1", "--dns="),
        ]
        for service in services:
            await service.says("answers on")
        start_service(
            "lars-agent",
            f"--listen={agent}",
            f"--dns=127.0.0.1:{dns.number}",
            f"--reporter=127.0.0.1:{reporter.number}",
            f"--state-dir={tmp_path / 'state'}",
            "--report-interval=0.2",
        )
        commands.ok("route", "add", "1", "1", "127.0.0.1:9001")
        await until(reactor, lambda: "127.0.0.1:9001" in commands.run("get-host", "1", "1").stdout, "a host")
        client.register(1, 1)
        client.report(client.get_host(1, 1), retcode=1)
        await until(reactor, lambda: [row["err"] for row in commands.json("status", "1", "1")] == [1], "the report")
        await services[2].says("nobody can sign in yet")
        for service in services:
            assert "denied" not in service.log()
    own = pymysql.connect(
        host="127.0.0.1", port=own_mariadb.port, user="lars_dns", password=passwords["lars_dns"], database=DATABASE
    )
    with own, pytest.raises(pymysql.err.OperationalError, match="denied"):
        own.query("SELECT * FROM User")
