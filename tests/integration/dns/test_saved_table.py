"""`--save FILE`: lars-dns starts and serves while the database is away, and pushes what differs when it is back."""

import subprocess
import sys
from pathlib import Path

import lars
from lars.dns.table import Refused, pack_routes
from lars.dns.table_file import decode_table, encode_table, load_table, save_table
from lars.route import HostAddress, ModuleId
from tests.integration.dns.agents import Agents
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.running import Routes, host
from tests.integration.mariadb import MariaDb
from tests.unit.dns.plain_rows import plain_rows

SAME, MORE, OTHER, GONE, NEW = (ModuleId(1, cmdid) for cmdid in range(1, 6))
A, B, C = host(1), host(2), host(3)

SAVED = {SAME: [A], MORE: [A], OTHER: [A], GONE: [A]}
NOW = {SAME: [A], MORE: [A, B], OTHER: [C], NEW: [B]}


def save(path: Path, routes: dict[ModuleId, list[HostAddress]]) -> None:
    rows = sorted((*module, *address) for module, hosts in routes.items() for address in hosts)
    packed = dict(pack_routes(plain_rows(rows), {}, Refused()))
    save_table(path, encode_table(7, packed.items(), len(packed)))


async def test_dns_without_its_database_serves_what_it_saved_and_pushes_what_differs_when_it_is_back(
    start_dns: StartDns, shaky_mariadb: MariaDb, shaky_url: str, shaky_routes: Routes, agents: Agents, tmp_path: Path
) -> None:
    await shaky_routes.put(NOW)
    save(tmp_path / "saved", SAVED)
    shaky_mariadb.kill()
    dns = start_dns(shaky_url, f"--save={tmp_path / 'saved'}")
    await dns.up()
    assert dns.page("/readyz")[0] == 503
    assert "serving saved routes" in dns.page("/readyz")[1]
    assert dns.number("lars_dns_route_version") == 7
    agent = await agents.connect(dns.port)
    await agent.answered(*SAVED, NEW)
    assert [agent.hosts(module) for module in (*SAVED, NEW)] == [(A,), (A,), (A,), (A,), ()]
    answers = len(agent.received)
    shaky_mariadb.start()
    await shaky_mariadb.answers()
    await agent.knows(NEW, [B])
    await agent.knows(GONE, [])
    pushed = {route.module: route.hosts for route in agent.received[answers:]}
    assert pushed == {MORE: (A, B), OTHER: (C,), GONE: (), NEW: (B,)}
    assert len(agent.received) == answers + 4, "one push for each"
    assert dns.page("/readyz") == (200, "ready\n")
    await dns.service.stopped()
    saved = load_table(tmp_path / "saved")
    assert saved is not None
    assert (saved[0], set(saved[1])) == (1, set(NOW))


async def test_dns_whose_database_hangs_serves_what_it_saved_before_the_database_times_out(
    start_dns: StartDns, shaky_mariadb: MariaDb, shaky_url: str, shaky_routes: Routes, agents: Agents, tmp_path: Path
) -> None:
    await shaky_routes.put(NOW)
    save(tmp_path / "saved", SAVED)
    shaky_mariadb.pause()
    dns = start_dns(shaky_url, f"--save={tmp_path / 'saved'}")
    await dns.up(deadline=8)
    agent = await agents.connect(dns.port)
    await agent.answered(OTHER)
    assert agent.hosts(OTHER) == (A,)
    shaky_mariadb.resume()
    await agent.knows(OTHER, [C])
    assert agent.all_hosts(OTHER) == {(A,), (C,)}


async def test_file_that_is_no_saved_table_is_one_line_and_a_start_without_it(
    start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents, tmp_path: Path
) -> None:
    await sqlite_routes.put({SAME: [A]})
    path = tmp_path / "saved"
    save(path, SAVED)
    path.write_bytes(path.read_bytes()[:-5])
    dns = start_dns(sqlite_url, f"--save={path}")
    await dns.up()
    [line] = [line for line in dns.service.log().splitlines() if str(path) in line]
    assert f"saved table {path} is not used: its check sum is wrong" in line
    agent = await agents.connect(dns.port)
    await agent.answered(SAME, GONE)
    assert (agent.hosts(SAME), agent.hosts(GONE)) == ((A,), ())
    await dns.service.stopped()
    assert decode_table(path.read_bytes())[1].keys() == {SAME}


async def test_place_that_cannot_be_written_is_one_line_and_the_service_goes_on(
    start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents, tmp_path: Path
) -> None:
    await sqlite_routes.put({SAME: [A]})
    path = tmp_path / "no such folder" / "saved"
    dns = start_dns(sqlite_url, f"--save={path}")
    await dns.service.says(f"the table cannot be saved as {path}: No such file or directory")
    agent = await agents.connect(dns.port)
    await agent.answered(SAME)
    await sqlite_routes.put({SAME: [B]})
    await agent.knows(SAME, [B])
    await dns.service.stopped()
    assert dns.service.log().count(str(path)) == 1


async def test_saved_table_is_whole_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.integration.dns.killed_writer", str(tmp_path / "saved"), "40"]
    checkout = Path(lars.__file__).parents[1]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0, "some kills hit the middle of a write"
