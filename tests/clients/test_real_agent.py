"""One suite for the clients of all languages: a route in SQLite, a real agent, and the counts back in SQLite."""

from collections import Counter
from pathlib import Path

from tests.clients.driven import Driven
from tests.integration.fleet import Fleet

A, B = "127.0.0.1:9001", "192.168.1.177:9002"
"""B's address is a negative number where it is read as an int32."""


OVERLOADED = "Overloaded module (1, 1) takes no call now"


async def test_calls_alternate_and_are_counted(fleet: Fleet, client: Driven) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A, B)
    await fleet.serves(A, B)
    client.ok("register", 1, 1)
    assert sorted(client.ok("get_route", 1, 1).split()) == [A, B]
    hosts = [client.ok("get_host", 1, 1) for _ in range(4)]
    assert hosts in ([A, B, A, B], [B, A, B, A])
    for host in hosts:
        client.ok("report", 1, 1, host, 0, 0)
    client.ok("call", 1, 1, "ok")
    assert client.call("call", 1, 1, "fail") in (f"failed {A}", f"failed {B}")
    await fleet.counts(5, 1)


async def test_failing_host_is_set_aside_and_only_probed(fleet: Fleet, client: Driven) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A, B)
    await fleet.serves(A, B)
    for _ in range(40):
        client.ok("report", 1, 1, B, 1, 0)
    chosen = Counter(client.ok("get_host", 1, 1) for _ in range(110))
    assert chosen == {A: 100, B: 10}


async def test_failure_that_took_long_counts_for_more(fleet: Fleet, client: Driven) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A, B)
    await fleet.serves(A, B)
    client.ok("report", 1, 1, B, 1, 5.0)  # as fifty failures that are told at once
    assert Counter(client.ok("get_host", 1, 1) for _ in range(11)) == {A: 10, B: 1}


async def test_module_whose_only_host_fails_is_overloaded(fleet: Fleet, client: Driven) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    for _ in range(40):
        client.ok("report", 1, 1, A, 1, 0)
    outcomes = Counter(client.call("get_host", 1, 1).split(":")[0] for _ in range(11))
    assert outcomes == {OVERLOADED: 10, f"ok {A.split(':')[0]}": 1}


async def test_modules_of_all_shards_are_answered(fleet: Fleet, client: Driven) -> None:
    await fleet.up()
    for cmdid in (2, 3, 4):
        fleet.commands.ok("route", "add", "1", str(cmdid), f"127.0.0.1:900{cmdid}")
    for cmdid in (2, 3, 4):
        await fleet.serves(f"127.0.0.1:900{cmdid}", cmdid=cmdid)
        client.ok("register", 1, cmdid)
        assert client.ok("get_host", 1, cmdid) == f"127.0.0.1:900{cmdid}"


async def test_module_without_hosts_says_how_to_add_one(fleet: Fleet, client: Driven) -> None:
    await fleet.up()
    advice = (
        "NoSuchModule module (7, 8) has no hosts that the agent knows of: add one with `lars route add 7 8 IP:PORT`"
    )
    for call in ("register", "get_host"):
        assert client.call(call, 7, 8).startswith(advice)
    assert client.ok("get_route", 7, 8) == ""


async def test_route_of_many_hosts_is_read_whole(fleet: Fleet, client: Driven, tmp_path: Path) -> None:
    await fleet.up()
    hosts = [f"10.1.{n // 250}.{n % 250 + 1}:{20_000 + n}" for n in range(3_000)]
    file = tmp_path / "hosts.csv"
    file.write_text("modid,cmdid,ip,port\n" + "".join(f"1,1,{host.replace(':', ',')}\n" for host in hosts))
    fleet.commands.ok("route", "import", str(file))
    await fleet.serves(*hosts)
    assert sorted(client.ok("get_route", 1, 1).split()) == sorted(hosts)


async def test_hung_agent_ends_calls_in_time_and_its_late_answers_are_passed_over(fleet: Fleet, client: Driven) -> None:
    await fleet.up()
    for cmdid, host in ((1, A), (4, B)):  # both of one shard
        fleet.commands.ok("route", "add", "1", str(cmdid), host)
        await fleet.serves(host, cmdid=cmdid)
    assert client.ok("get_host", 1, 1) == A
    fleet.agent.pause()
    for call in ("get_host", "get_route"):
        outcome, took = client.timed(call, 1, 1)
        shard = f"127.0.0.1:{fleet.agent_port + 2}"
        assert outcome.startswith(
            f"AgentUnavailable no answer from the agent at {shard} within 0.2 s: start lars-agent"
        )
        assert 0.2 <= took < 1.5
    client.ok("report", 1, 1, A, 0, 0)
    fleet.agent.resume()
    for _ in range(3):
        assert client.ok("get_host", 1, 4) == B
        assert client.ok("get_route", 1, 4) == B
        assert client.ok("get_route", 1, 1) == A
    await fleet.counts(1, 0)


async def test_killed_agent_is_told_at_once_and_answers_when_it_is_back(fleet: Fleet, client: Driven) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    await fleet.serves(A)
    assert client.ok("get_host", 1, 1) == A
    fleet.agent.kill()
    for call in ("get_host", "get_route", "get_host"):
        outcome, took = client.timed(call, 1, 1)
        assert outcome.startswith("AgentUnavailable the agent at ")
        assert "(Connection refused): start lars-agent there, or set its address (LARS_AGENT" in outcome
        assert took < 0.15
    fleet.agent.start()
    await fleet.serves(A)
    assert client.ok("get_host", 1, 1) == A


def test_ids_that_no_module_can_have_are_refused(fleet: Fleet, client: Driven) -> None:
    assert client.call("get_host", -1, 1) == "invalid modid -1 is out of range: use 0 to 2147483647"
    assert client.call("get_route", 0, 0).startswith("invalid module (0, 0) does not exist")
    assert client.call("report", 1, -1, A, 0, 0).startswith("invalid cmdid -1")
