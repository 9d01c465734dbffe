"""Reporters and agents whose clocks are off: what is fresh and what raises alarms goes by the database's clock."""

from pathlib import Path
from typing import Any

import pytest

from lars.db.alarms import AlarmStore
from lars.db.database import Database
from lars.db.reports import ReportStore
from lars.route import HostAddress, ModuleId
from tests.integration.reporter.agents import Agents
from tests.integration.reporter.conftest import StartReporter
from tests.integration.waiting import until

A = HostAddress(0x0A000001, 80)

RULES = """
[alarm rate]
what = err_rate
above = 0.4
min_calls = 10
raise_after = 0.3
clear_after = 0.3
[alarm gone]
what = silent_caller
over = 120
raise_after = 0
clear_after = 0
"""


async def test_reporters_with_other_clocks_agree_on_what_is_fresh_and_no_alarm_flaps(
    reactor: Any,
    start_reporter: StartReporter,
    database: Database,
    database_url: str,
    agents: Agents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conf = tmp_path / "alarms.conf"
    conf.write_text(RULES)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "skewed_clock"))
    reporters = []
    for skew in (300, -300):
        monkeypatch.setenv("LARS_TEST_SKEW", str(skew))
        reporters.append(start_reporter(database_url, f"--config={conf}", name=f"skewed-{skew}"))
    for reporter, way in zip(reporters, ("ahead", "behind"), strict=True):
        await reporter.service.says(f"the clock of this machine is 300 s {way}")
        await reporter.up()
    of_agents = [agents.start(reporter.port, skew=skew)[0] for reporter, skew in zip(reporters, (0, -600), strict=True)]
    for modid, agent in enumerate(of_agents, 1):
        agent.report(ModuleId(modid, 1), A, 1, 20)
        await agent.is_acknowledged()
    reports = ReportStore(database)
    now, skews = await reports.clocks(5)
    assert [round(skew / 10) for skew in skews.values()] == [-60], "one agent's clock is off"
    hosts = await reports.status(None, None, int(now) - 120, now)
    assert {(host.callers, host.err) for host in hosts} == {(1, 20)}
    assert all(abs(host.last_report - now) < 30 for host in hosts)
    store = AlarmStore(database)

    async def raised() -> int:
        return len(await store.alarms())

    for modid, agent in enumerate(of_agents, 3):

        async def both(wanted: int = modid) -> bool:
            return await raised() == wanted

        agent.report(ModuleId(modid, 1), A, 1, 20)
        await until(reactor, both, f"{modid} alarms")
    assert {(alarm.rule, alarm.cleared_at) for alarm in await store.alarms(0)} == {("rate", 0)}, "none has cleared"
