"""Two agents of which one sees a host fail: who sees it, why and since when, end to end."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from socket import gethostname
from typing import Any

from lars import __version__
from lars.client import LarsClient
from lars.db.callers import CallerStore, CallerView
from lars.db.database import Database
from lars.db.held_routes import HeldRouteStore, Progress
from lars.host_condition import Condition
from lars.route import HostAddress, ModuleId, parse_ip
from tests.integration.fleet import Fleet, StartService
from tests.integration.processes import free_udp_base
from tests.integration.waiting import until

HOSTS = ["10.0.0.5:80", "10.0.0.6:80", "10.0.0.7:80"]
BAD = HOSTS[0]
SHOP, MAIL = "10.1.0.1", "10.1.0.2"


def make_calls(client: LarsClient, count: int) -> None:
    """Makes calls that succeed."""
    for _ in range(count):
        client.report(client.get_host(1, 1))


def fail(clients: Sequence[LarsClient], name: str) -> None:
    """Reports failures of a host by several processes: one alone ejects no host."""
    host = next(host for host in clients[0].get_route(1, 1) if str(host) == name)
    for client in [*clients] * 3:
        client.report(host, -1)


async def test_the_caller_that_sees_a_host_fail_is_named_with_reason_and_time(
    reactor: Any,
    start_service: StartService,
    sqlite_url: str,
    tmp_path: Path,
    open_database: Callable[[str], Database],
) -> None:
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path, f"--caller={SHOP}", "--zone=a", "--report-interval=0.2")
    base = free_udp_base(3)
    dns, reporter = fleet.ports
    mail = start_service(
        "lars-agent",
        f"--listen=127.0.0.1:{base}",
        f"--dns=127.0.0.1:{dns.number}",
        f"--reporter=127.0.0.1:{reporter.number}",
        f"--caller={MAIL}",
        "--policy=round_robin",
        "--report-interval=0.2",
        "--state-dir=",
        name="mail",
    )
    database = open_database(sqlite_url)
    store = CallerStore(database)

    async def view_of(caller: str, condition: Condition) -> CallerView | None:
        """How a caller sees the bad host, if it says so and sees it in a state."""
        views = [v for v in await store.views(1, 1) if (str(v.host), v.caller) == (BAD, parse_ip(caller))]
        return next((v for v in views if v.hostname and v.condition is condition), None)

    with (
        LarsClient(f"127.0.0.1:{base}", timeout=1.0, cache=False, state_dir="") as client,
        LarsClient(f"127.0.0.1:{fleet.agent_port}", timeout=1.0, cache=False, state_dir="") as another,
    ):
        try:
            await fleet.up()
            await mail.says("linked to lars-reporter")
            fleet.commands.ok("route", "add", "1", "1", *HOSTS)
            await fleet.serves(*HOSTS)
            await until(reactor, lambda: len(client.get_route(1, 1)) == 3, "the other agent to have the route")
            before = time.time()
            make_calls(fleet.client, 30)
            make_calls(client, 30)
            fail([fleet.client, another], BAD)
            seen = await until(reactor, lambda: view_of(SHOP, Condition.EJECTED), "a caller to see the host ejected")
            assert "calls failed" in seen.reason
            assert before - 2 <= seen.since <= time.time() + 1
            assert seen.hostname == gethostname()
            await until(reactor, lambda: view_of(MAIL, Condition.HEALTHY), "the other one to see it healthy")

            rows = fleet.commands.json("status", "1", "1", "--by", "caller")
            assert (rows[0]["caller"], rows[0]["host"], rows[0]["state"]) == (SHOP, BAD, "ejected")
            assert 0 < sum(row["succ"] for row in rows if row["caller"] == MAIL) <= 30
            table = fleet.commands.ok("status", "1", "1")
            assert f"ejected by 1 of 2: {seen.reason}" in table
            agents = {agent["ip"]: agent for agent in fleet.commands.json("agents", "list")}
            assert [agents[SHOP][name] for name in ("hostname", "version", "zone")] == [gethostname(), __version__, "a"]
            assert agents[MAIL]["settings"] == ["policy = round_robin", "report_interval = 0.2"]
            assert agents[MAIL]["dns"] == f"127.0.0.1:{dns.number}"
            shown = fleet.commands.json("agents", "show", SHOP)
            assert [(row["host"], row["state"]) for row in shown["hosts"]] == [(BAD, "ejected")]
            version = shown["routes"][0]["version"]

            store_of_routes = HeldRouteStore(database)
            fleet.commands.ok("route", "set", "1", "1", HOSTS[2], "weight=50")

            async def arrived() -> Progress | None:
                newest = fleet.commands.json("agents", "show", MAIL)["routes"][0]["version"]
                progress = await store_of_routes.progress(newest)
                return progress if newest != version and progress.have == 2 else None

            progress = await until(reactor, arrived, "both agents to hold the newest version")
            assert (progress.modules, progress.agents, progress.waiting) == ((ModuleId(1, 1),), 2, ())

            fleet.commands.ok("route", "drain", "1", "1", HOSTS[1])

            async def drained() -> bool:
                found = [view for view in await store.views(1, 1) if view.condition is Condition.DRAINING]
                return {(view.host, view.caller) for view in found} == {
                    (HostAddress(parse_ip("10.0.0.6"), 80), parse_ip(caller)) for caller in (SHOP, MAIL)
                }

            await until(reactor, drained, "both callers to see the host draining")
        finally:
            fleet.close()
