"""An alarm is raised, posted to a real HTTP server, and cleared; a restart neither forgets nor repeats it."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet.address import IPv4Address
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from lars.db.alarms import POSTED, Alarm, AlarmStore, Subject
from lars.db.database import Database
from lars.route import HostAddress, ModuleId, parse_ip
from tests.integration.reporter.agents import Agent, Agents
from tests.integration.reporter.conftest import StartReporter
from tests.integration.reporter.sums import sums
from tests.integration.waiting import until

M = ModuleId(1, 1)
A = HostAddress(0x0A000001, 80)


class Receiver(Resource):
    """A webhook. It answers with `status`; 0: it does not answer."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.status = 204
        self.requests: list[tuple[bytes, str | None, dict[str, Any]]] = []
        self.listening: IListeningPort | None = None

    def render_POST(self, request: Request) -> bytes | int:
        assert request.content is not None
        content = json.loads(request.content.read())
        self.requests.append((request.path, request.getHeader("content-type"), content))
        if not self.status:
            return NOT_DONE_YET
        request.setResponseCode(self.status)
        return b""

    @property
    def port(self) -> int:
        assert self.listening is not None
        address = self.listening.getHost()
        assert isinstance(address, IPv4Address)
        return address.port

    @property
    def events(self) -> list[tuple[str, int]]:
        return [(content["event"], content["id"]) for _path, _type, content in self.requests]


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def receiver(reactor: Any) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    site = Site(receiver)
    receiver.listening = reactor.listenTCP(0, site, interface="127.0.0.1")
    yield receiver
    await maybeDeferred(receiver.listening.stopListening)


def conf(folder: Path, *rules: str) -> str:
    """An option that names a conf file with these rules."""
    path = folder / "alarms.conf"
    path.write_text("\n".join(rules))
    return f"--config={path}"


def rule(name: str, what: str, port: int, more: str = "") -> str:
    return (
        f"[alarm {name}]\nwhat={what}\nraise_after=0.3\nclear_after=0.3\nwebhook=http://127.0.0.1:{port}/hook\n{more}\n"
    )


async def eject(agent: Agent, ejected: bool) -> None:
    """The agent ejects the host, or restores it."""
    agent.report(M, A, 1, 1, ejected)
    await agent.is_acknowledged()


async def test_alarm_is_raised_posted_and_cleared_once(
    reactor: Any,
    start_reporter: StartReporter,
    database: Database,
    database_url: str,
    agents: Agents,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    reporter = start_reporter(database_url, conf(tmp_path, rule("ejected", "overloaded_host", receiver.port)))
    await reporter.up()
    [agent] = agents.start(reporter.port)
    began = int(time.time())
    await eject(agent, True)
    await until(reactor, lambda: receiver.requests, "a post")
    [(path, content_type, posted)] = receiver.requests
    content = dict(posted)
    assert (path, content_type) == (b"/hook", "application/json")
    assert began <= content.pop("raised_at") <= time.time()
    alarm_id = content.pop("id")
    assert content == {
        "event": "raised",
        "rule": "ejected",
        "what": "overloaded_host",
        "subject": "host 10.0.0.1:80 of module (1, 1)",
        "text": "ejected by 1 of 1 callers",
        "modid": 1,
        "cmdid": 1,
        "host": "10.0.0.1:80",
    }
    assert reporter.number("alarms_raised") == 1
    await eject(agent, False)
    await until(reactor, lambda: len(receiver.requests) == 2, "a second post")
    assert receiver.events == [("raised", alarm_id), ("cleared", alarm_id)]
    assert reporter.number("alarms_raised") == 0
    log = reporter.service.log()
    host = "host 10.0.0.1:80 of module (1, 1)"
    assert log.count(f"alarm {alarm_id} raised by rule ejected: {host}: ejected by 1 of 1") == 1
    assert log.count(f"alarm {alarm_id} of rule ejected cleared: {host}") == 1
    store = AlarmStore(database)

    async def both_posted() -> bool:
        [alarm] = await store.alarms(began)
        return (alarm.raise_told, alarm.clear_told) == (POSTED, POSTED) and alarm.cleared_at >= alarm.raised_at

    await until(reactor, both_posted, "the row of the alarm to say that both were posted")


async def test_each_kind_of_rule_finds_what_it_is_for(
    reactor: Any,
    start_reporter: StartReporter,
    database: Database,
    database_url: str,
    agents: Agents,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    await database.write(
        "a caller long silent",
        lambda txn: txn.execute("INSERT INTO CallerSeen (caller, ts) VALUES (?, ?)", (parse_ip("10.9.9.9"), 1_000)),
    )
    rules = [
        rule("rate", "err_rate", receiver.port, "above = 0.4\nmin_calls = 10\nmodules = 1:1"),
        rule("hosts", "err_rate", receiver.port, "above = 0.9\nmin_calls = 5\nper = host"),
        rule("down", "no_idle_host", receiver.port),
        rule("gone", "silent_caller", receiver.port, "over = 120"),
    ]
    reporter = start_reporter(database_url, "--history-days=36500", conf(tmp_path, *rules))
    await reporter.up()
    [agent] = agents.start(reporter.port)
    agent.report(M, A, 6, 4, True)
    agent.report(M, HostAddress(A.ip + 1, 80), 0, 6, False)
    agent.report(ModuleId(1, 2), A, 1, 1, True)
    await until(reactor, lambda: len(receiver.requests) == 3, lambda: f"three posts, not {receiver.requests}")
    found = {(content["rule"], content["subject"]) for _path, _type, content in receiver.requests}
    assert found == {
        ("rate", "module (1, 1)"),
        ("hosts", "host 10.0.0.2:80 of module (1, 1)"),
        ("down", "module (1, 2)"),
    }, "and the reporter is too young to call a caller silent"


async def test_a_restart_neither_forgets_nor_repeats(
    reactor: Any,
    start_reporter: StartReporter,
    database: Database,
    database_url: str,
    agents: Agents,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    reporter = start_reporter(database_url, conf(tmp_path, rule("ejected", "overloaded_host", receiver.port)))
    await reporter.up()
    [agent] = agents.start(reporter.port)
    await eject(agent, True)
    await until(reactor, lambda: reporter.number("webhook_posts_total", outcome="posted") == 1, "a post")
    for start in (2, 3):
        reporter.service.kill()
        reporter.service.start()
        await reporter.up(start)
        await eject(agent, True)
        await until(reactor, lambda: reporter.number("alarms_raised") == 1, "the alarm to be active")
    await eject(agent, False)
    await until(reactor, lambda: len(receiver.requests) > 1, "a second post")
    [raised, cleared] = receiver.events
    assert (raised[0], cleared) == ("raised", ("cleared", raised[1]))


async def test_dead_webhook_is_retried_also_after_a_restart_and_delays_no_report(
    reactor: Any,
    start_reporter: StartReporter,
    database: Database,
    database_url: str,
    agents: Agents,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    reporter = start_reporter(database_url, conf(tmp_path, rule("ejected", "overloaded_host", receiver.port)))
    await reporter.up()
    receiver.status = 0
    [agent] = agents.start(reporter.port)
    await eject(agent, True)
    await until(reactor, lambda: receiver.requests, "an attempt")
    agent.keep_reporting()
    before = reporter.number("reports_total")
    await until(reactor, lambda: reporter.number("reports_total") > before + 20, "reports to be taken in")
    await agent.is_acknowledged(5)
    receiver.status = 500
    await until(reactor, lambda: len(receiver.requests) >= 2, "a second attempt, after the first one's timeout", 15)
    await until(
        reactor,
        lambda: (
            "it answered with HTTP status 500" in reporter.service.log()
            or "no answer within 5 s" in reporter.service.log()
        ),
        "a line",
    )
    await reporter.service.stopped(6)
    receiver.status = 200
    tried = len(receiver.requests)
    reporter.service.start()
    await until(reactor, lambda: len(receiver.requests) > tried, "the post after a restart")
    assert set(receiver.events) >= {("raised", 1)}
    await until(reactor, lambda: reporter.number("webhook_posts_total", outcome="posted") >= 1, "it to be taken")
    assert await sums(database) == agents.counted


async def test_invalid_rule_is_refused_at_start(start_reporter: StartReporter, sqlite_url: str, tmp_path: Path) -> None:
    reporter = start_reporter(sqlite_url, conf(tmp_path, "[alarm shop]\nwhat = err_rate\nabove = 12\n"))
    assert await reporter.service.ended() == 1
    assert "[alarm shop] above: '12' is not a number from 0 to 1" in reporter.service.log()


async def test_alarm_without_a_rule_is_cleared_and_other_services_alarms_are_left_alone(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, tmp_path: Path
) -> None:
    store = AlarmStore(database)
    for rule_name, what in (("old", "no_idle_host"), ("elsewhere", "disk_full")):
        await store.raised(Alarm(0, rule_name, what, Subject(1, 1), "bad", 1_000, 0, "", 0, 0))
    reporter = start_reporter(database_url, conf(tmp_path, rule("new", "no_idle_host", 1)))
    await reporter.service.says("of rule old cleared: module (1, 1): its rule was removed")
    assert [alarm.rule for alarm in await store.alarms()] == ["elsewhere"]
    assert reporter.number("alarms_raised") == 0
