"""An agent of three processes serves the gateway as one of a single process does."""

from pathlib import Path
from typing import Any

from lars.route import shard_of
from tests.integration.gateway.running_gateway import ROUTES, AgentAndGateway, StartService


async def test_modules_of_every_worker_are_served(reactor: Any, start_service: StartService, tmp_path: Path) -> None:
    gateway = AgentAndGateway(reactor, start_service, tmp_path, workers=3)
    await gateway.agent.says("answers on", times=3)
    await gateway.service.says("lars-gateway answers DNS on")
    assert {shard_of(module, 3) for module in ROUTES} == {0, 1, 2}
    for module, hosts in ROUTES.items():
        path = f"/v1/modules/{module.modid}/{module.cmdid}"
        assert gateway.curl(f"{path}/host")[2]["host"] in hosts
        assert len(gateway.curl(f"{path}/hosts")[2]["hosts"]) == len(hosts)
        assert gateway.post(f"{path}/reports", {"host": hosts[0]})[2] == {"reported": 1, "not_in_route": []}
        name = f"{module.cmdid}.{module.modid}.lars"
        assert gateway.answers(name)[0][4] in {host.split(":")[0] for host in hosts}
        assert len(gateway.answers(name, "SRV")) == len(hosts)
    gateway.close()
