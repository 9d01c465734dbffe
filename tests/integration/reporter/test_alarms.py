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
from twisted.internet.task import LoopingCall
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from lars.db.alarms import POSTED, Alarm, AlarmStore
from lars.db.database import Database
from lars.db.measurements import Subject
from lars.db.reports import ReportStore
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
        self.credentials: list[tuple[bytes, bytes]] = []
        self.listening: IListeningPort | None = None

    def render_POST(self, request: Request) -> bytes | int:
        assert request.content is not None
        content = json.loads(request.content.read())
        self.requests.append((request.path, request.getHeader("content-type"), content))
        self.credentials.append((request.getUser(), request.getPassword()))
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


async def test_default_rules_are_evaluated_where_none_is_written(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str
) -> None:
    reporter = start_reporter(database_url)
    await reporter.up()

    async def evaluated() -> bool:
        rows = await database.read("read claims", lambda txn: txn.all("SELECT rule FROM AlarmRule WHERE owner <> ''"))
        return {"module-down", "module-errors"} <= {name for (name,) in rows}

    await until(reactor, evaluated, "the default rules")


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
    figures = content.pop("figures")
    assert figures.startswith("ejected by 1 of 1 caller, for ")
    assert content.pop("figures_now").startswith("ejected by 1 of 1 caller, for ")
    assert content.pop("text").startswith(f"ejected: host 10.0.0.1:80 of module (1, 1): {figures}")
    assert content == {
        "event": "raised",
        "rule": "ejected",
        "what": "overloaded_host",
        "subject": "host 10.0.0.1:80 of module (1, 1)",
        "modid": 1,
        "cmdid": 1,
        "module": "",
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
    await until(reactor, lambda: len(receiver.requests) >= 3, lambda: f"three posts, not {receiver.requests}")
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


def posted(receiver: Receiver) -> set[tuple[str, str, str]]:
    """Event, rule and subject of what was posted."""
    return {(content["event"], content["rule"], content["subject"]) for _path, _type, content in receiver.requests}


def raised(receiver: Receiver, rule_name: str, subject: str) -> bool:
    return ("raised", rule_name, subject) in posted(receiver)


async def test_agent_whose_clock_is_slow_raises_alarms_and_is_fresh(
    reactor: Any,
    start_reporter: StartReporter,
    sqlite_database: Database,
    sqlite_url: str,
    agents: Agents,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    rules = rule("rate", "err_rate", receiver.port, "above = 0.4\nmin_calls = 10")
    reporter = start_reporter(sqlite_url, conf(tmp_path, rules))
    await reporter.up()
    slow, fast = agents.start(reporter.port, skew=-600.0) + agents.start(reporter.port, skew=7200.0)
    for agent, modid in ((slow, 1), (fast, 2)):
        agent.report(ModuleId(modid, 1), A, 1, 20)
    await until(
        reactor,
        lambda: raised(receiver, "rate", "module (1, 1)") and raised(receiver, "rate", "module (2, 1)"),
        lambda: f"both alarms, not {receiver.requests}",
    )
    store = ReportStore(sqlite_database)
    now = (await store.clocks(5)).now
    assert {host.callers for host in await store.status(None, None, int(now) - 120, now)} == {1}
    skews = (await store.clocks(5)).skews
    assert sorted(round(skew / 10) for skew in skews.values()) == [-60, 720]
    assert reporter.number("skewed_agents") == 2
    assert reporter.service.log().count("s ahead: its calls are counted") == 1
    assert "s behind" not in reporter.service.log(), "its report may have waited: a later one decides"


async def test_module_whose_every_call_fails_has_no_healthy_host_although_its_agents_let_hosts_back(
    reactor: Any,
    start_reporter: StartReporter,
    sqlite_database: Database,
    sqlite_url: str,
    agents: Agents,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    """Two agents eject the two hosts in turns, so that at no time both are ejected by both."""
    rules = [rule("down", "no_idle_host", receiver.port), rule("all", "overloaded_host", receiver.port, "share = 0.3")]
    reporter = start_reporter(sqlite_url, conf(tmp_path, *rules))
    await reporter.up()
    one, other = agents.start(reporter.port, count=2)
    hosts = A, HostAddress(A.ip + 1, 80)
    turn = 0

    def fail() -> None:
        nonlocal turn
        turn += 1
        for number, host in enumerate(hosts):
            one.report(M, host, 0, 3, turn // 5 % 2 == number)
            other.report(M, host, 0, 3, turn // 5 % 2 != number)

    failing = LoopingCall(fail)
    failing.clock = reactor
    failing.start(0.1)
    try:
        wanted = {("raised", "down", "module (1, 1)")}
        wanted |= {("raised", "all", f"host {host} of module (1, 1)") for host in hosts}
        await until(reactor, lambda: posted(receiver) >= wanted, lambda: f"alarms, not {receiver.requests}")
    finally:
        failing.stop()
    assert posted(receiver) == wanted, "and none of them flaps"


async def test_silence_and_a_restart_clear_nothing(
    reactor: Any,
    start_reporter: StartReporter,
    sqlite_database: Database,
    sqlite_url: str,
    agents: Agents,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    silent = parse_ip("10.9.9.9")
    store = AlarmStore(sqlite_database)
    await store.raised(Alarm(0, "gone", "silent_caller", Subject(caller=silent), "no report", 1_000, 0, "", 0, 0))
    await sqlite_database.write(
        "a caller long silent",
        lambda txn: txn.execute("INSERT INTO CallerSeen (caller, ts) VALUES (?, ?)", (silent, 1_000)),
    )
    rules = [rule("ejected", "overloaded_host", receiver.port, "over = 10"), rule("gone", "silent_caller", 1)]
    reporter = start_reporter(sqlite_url, "--history-days=36500", conf(tmp_path, *rules))
    await reporter.up()
    [dying] = agents.start(reporter.port)
    await eject(dying, True)
    subject = "host 10.0.0.1:80 of module (1, 1)"
    await until(reactor, lambda: raised(receiver, "ejected", subject), "an alarm")
    await dying.close()
    agents.all.remove(dying)
    await sqlite_database.write(
        "three minutes without a report", lambda txn: txn.execute("UPDATE ServerCallStatus SET ts = ts - 200")
    )
    await sqlite_database.write(
        "three minutes without a report", lambda txn: txn.execute("UPDATE CallerSeen SET ts = ts - 200 WHERE ts > 1000")
    )
    reporter.service.kill()
    reporter.service.start()
    await reporter.up(2)
    await until(reactor, lambda: reporter.number("alarms_raised") == 2, "the alarms to be known again")
    other = HostAddress(0x0A000002, 80)
    [living] = agents.start(reporter.port)
    living.report(M, other, 1, 1, True)
    about_other = "host 10.0.0.2:80 of module (1, 1)"
    await until(reactor, lambda: raised(receiver, "ejected", about_other), "a second alarm")
    living.report(M, other, 1, 1, False)
    await until(
        reactor, lambda: ("cleared", "ejected", about_other) in posted(receiver), "the second alarm to be cleared"
    )
    assert {event for event, _rule, about in posted(receiver) if about != about_other} == {"raised"}
    assert reporter.number("alarms_raised") == 2


async def test_alarm_whose_reporter_dies_before_it_is_posted_is_posted_by_another(
    reactor: Any,
    start_reporter: StartReporter,
    sqlite_database: Database,
    sqlite_url: str,
    agents: Agents,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    """The second reporter has the rule; the third, after that dies too, has another one."""
    option = conf(tmp_path, rule("ejected", "overloaded_host", receiver.port))
    first = start_reporter(sqlite_url, option, name="first")
    await first.up()
    receiver.status = 500
    [agent] = agents.start(first.port)
    await eject(agent, True)
    await until(reactor, lambda: receiver.requests, "an attempt")
    first.service.kill()
    second = start_reporter(sqlite_url, option, name="second")
    await second.up()
    tried = len(receiver.requests)
    await until(reactor, lambda: len(receiver.requests) > tried, "the second reporter to try")
    second.service.kill()
    (tmp_path / "other").mkdir()
    third = start_reporter(sqlite_url, conf(tmp_path / "other", rule("other", "err_rate", receiver.port)), name="third")
    await third.up()
    receiver.status = 204
    await until(reactor, lambda: third.number("webhook_posts_total", outcome="posted") == 1, "the third to post")
    assert set(receiver.events) == {("raised", 1)}
    [alarm] = await AlarmStore(sqlite_database).alarms()
    assert alarm.cleared_at == 0, "a reporter with other rules clears nothing"


async def test_alarm_that_was_stored_before_the_reporter_died_is_posted_once_to_the_corrected_webhook(
    reactor: Any,
    start_reporter: StartReporter,
    sqlite_database: Database,
    sqlite_url: str,
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    store = AlarmStore(sqlite_database)
    now = int(time.time())
    for number, what in ((1, "overloaded_host"), (2, "hosts_kept")):
        await store.raised(Alarm(0, what, what, Subject(number, 1), "bad", now, 0, "http://127.0.0.1:1/", 0, 0))
    url = f"http://ann:se%20cret@127.0.0.1:{receiver.port}/hook"
    rules = [f"[alarm overloaded_host]\nwhat=overloaded_host\nwebhook={url}\n[alarm k]\nwhat=hosts_kept\n"]
    rules += [f"webhook_file={tmp_path}/url\nwebhook_header=X-Team: shop\n"]
    (tmp_path / "url").write_text(f"{url}\n")
    reporter = start_reporter(sqlite_url, "--console-url=https://lars.example", conf(tmp_path, *rules))
    await reporter.up()
    await until(reactor, lambda: reporter.number("webhook_posts_total", outcome="posted") == 2, "both posts")
    assert sorted(receiver.events) == [("raised", 1), ("raised", 2)]
    assert set(receiver.credentials) == {(b"ann", b"se cret")}
    assert {content["url"] for _path, _type, content in receiver.requests} == {
        "https://lars.example/modules/1/1",
        "https://lars.example/modules/2/1",
    }
    assert "cret" not in reporter.service.log()
