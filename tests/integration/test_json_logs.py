"""Logs as JSON, of a service, of an agent's workers, and in a file that is moved away."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from bench.processes.twistd import checkout_environ, twistd_command
from tests.integration.conftest import StartService
from tests.integration.processes import Child, TwistdService, free_udp_base
from tests.integration.waiting import until


def objects(text: str) -> list[Any]:
    """The lines that are ended, each of which is an object with the fields that are always there."""
    found = [json.loads(line) for line in text.split("\n")[:-1]]
    assert all({"time", "level", "logger", "message"} <= each.keys() for each in found)
    return found


async def test_every_line_of_an_agent_and_of_its_workers_is_an_object(
    reactor: Any, start_service: StartService, tmp_path: Path
) -> None:
    agent: TwistdService = start_service(
        "lars-agent",
        "--workers=3",
        f"--listen=127.0.0.1:{free_udp_base(3)}",
        f"--state-dir={tmp_path / 'state'}",
        environ={"LARS_LOG_FORMAT": "json"},
    )

    def workers() -> set[str]:
        logged = [each for each in objects(agent.log()) if "lars-agent answers on" in each["message"]]
        assert all(each["logger"] == "lars.agent.service" for each in logged)
        return {each["process"] for each in logged}

    await until(reactor, lambda: len(workers()) == 3, agent.log)
    assert workers() == {"shard-0", "shard-1", "shard-2"}
    agent.terminate()
    await agent.ended()
    assert objects(agent.log())[-1]["message"] == "Server Shut Down."


async def test_log_file_holds_objects_and_is_opened_anew(reactor: Any, tmp_path: Path) -> None:
    log, old = tmp_path / "gateway.log", tmp_path / "gateway.log.1"
    command = twistd_command("lars-gateway", "--listen=tcp:0:interface=127.0.0.1", "--dns=", "--log-format=json")
    command.insert(command.index("lars-gateway"), f"--logfile={log}")
    with Child(reactor, "lars-gateway", command, tmp_path, checkout_environ()) as gateway:
        gateway.start()
        await until(reactor, lambda: log.exists() and "lars-gateway answers on" in log.read_text(), "the start")
        log.rename(old)
        os.kill(gateway.pid, signal.SIGHUP)
        await until(reactor, log.exists, "a new log file")
        gateway.terminate()
        await gateway.ended()
    assert objects(old.read_text())
    assert objects(log.read_text())[-1]["message"] == "Server Shut Down."
