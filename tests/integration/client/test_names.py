"""An agent that is given by a name, as a container is, and has another address when it was made anew."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.processes.twistd import checkout_environ
from lars.route import ModuleId, parse_host
from tests.integration.client.drivers import DRIVERS
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService
from tests.integration.waiting import until

SHIM = Path(__file__).parents[1] / "moved_name.c"


@pytest.mark.parametrize("kind", sorted(DRIVERS))
async def test_agent_that_has_moved_is_found_by_its_name(
    reactor: Any, start_service: StartService, tmp_path: Path, kind: str
) -> None:
    library, address = tmp_path / "moved_name.so", tmp_path / "address"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, SHIM, "-ldl"], check=True)
    address.write_text("127.0.0.1", encoding="ascii")
    first, second = (
        LoneAgent(partial(start_service, name=name), tmp_path / name, {ModuleId(1, 1): [parse_host(f"10.0.0.{n}:80")]})
        for n, name in ((1, "first"), (2, "second"))
    )
    second.address = f"127.0.0.2:{first.port}"
    await first.up()
    environ = {"LD_PRELOAD": str(library), "MOVED_NAME": str(address)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.client.named_caller", kind, f"agent.test:{first.port}"],
        env={**os.environ, **checkout_environ(), **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as caller:
        assert caller.stdin is not None
        assert caller.stdout is not None
        stdin, stdout = caller.stdin, caller.stdout

        def asked() -> str:
            stdin.write("\n")
            return stdout.readline().strip()

        assert asked() == "10.0.0.1:80"
        assert first.process is not None
        first.process.close()
        await second.up()
        address.write_text("127.0.0.2", encoding="ascii")
        assert "cannot be reached" in asked()
        await until(reactor, lambda: asked() == "10.0.0.2:80", "the agent at its new address", 20.0)
        stdin.close()
    assert caller.returncode == 0
    first.close()
    second.close()
