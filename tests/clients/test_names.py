"""An agent that is given by a name, as a container is, and has another address when it was made anew."""

import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from lars.route import ModuleId, parse_host
from tests.clients.built import Built
from tests.clients.driven import Driven
from tests.integration import waiting
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService

SHIM = Path(waiting.__file__).parent / "moved_name.c"
UNCACHED = {"JAVA_TOOL_OPTIONS": "-Dsun.net.inetaddr.ttl=0"}
"""Java remembers an address for 30 s."""


async def test_agent_that_has_moved_is_found_by_its_name(
    reactor: Any, start_service: StartService, tmp_path: Path, built: Built
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
    environ = {"LD_PRELOAD": str(library), "MOVED_NAME": str(address), **UNCACHED}
    client = Driven(built.driver, f"agent.test:{first.port}", environ)
    assert client.call("get_host", 1, 1) == "ok 10.0.0.1:80"
    assert first.process is not None
    first.process.close()
    await second.up()
    address.write_text("127.0.0.2", encoding="ascii")
    assert client.call("get_host", 1, 1).startswith("AgentUnavailable ")
    await waiting.until(
        reactor, lambda: client.call("get_host", 1, 1) == "ok 10.0.0.2:80", "the agent at its new address", 20.0
    )
    client.close()
    first.close()
    second.close()
