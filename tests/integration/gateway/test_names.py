"""Modules are found by the names that people gave them, also while the database is away."""

from pathlib import Path
from typing import Any

from lars.db.database import Database
from lars.db.modules import ModuleStore
from lars.db.names import Names, NameStore
from tests.integration.gateway.running_gateway import AgentAndGateway, StartService
from tests.integration.waiting import until


async def test_all_names_are_read(database: Database) -> None:
    store = NameStore(database)
    assert await store.all() == Names({}, {})
    modules = ModuleStore(database)
    await modules.rename("test", 1.0, "modid", 1, "Payment service", None)
    await modules.rename("test", 1.0, "cmdid", 2, "authorize", None)
    assert await store.all() == Names({1: "Payment service"}, {2: "authorize"})


async def test_dig_finds_a_module_by_its_names(
    reactor: Any, start_service: StartService, database: Database, database_url: str, tmp_path: Path
) -> None:
    modules = ModuleStore(database)
    await modules.rename("test", 1.0, "modid", 1, "Payment service", None)
    await modules.rename("test", 1.0, "cmdid", 2, "authorize", None)
    gateway = AgentAndGateway(reactor, start_service, tmp_path, f"--db={database_url}")
    await gateway.up()
    await until(reactor, lambda: gateway.answers("authorize.payment-service.lars"), "the name")
    assert gateway.answers("authorize.Payment-Service.lars")[0][4] == "10.0.0.1"
    [record] = gateway.answers("_lars._tcp.2.payment-service.lars", "SRV")
    assert record[-1] == "10-0-0-1.2.1.lars."
    assert "NXDOMAIN" in gateway.dig("refund.payment-service.lars")
    gateway.close()


async def test_a_database_that_is_away_is_said_once_and_numbers_are_found(
    reactor: Any, start_service: StartService, tmp_path: Path
) -> None:
    gateway = AgentAndGateway(reactor, start_service, tmp_path, f"--db=sqlite:///{tmp_path}/missing.db")
    await gateway.up()
    await gateway.service.says("modules are found by the names that are known")
    assert gateway.answers("2.1.lars")
    await gateway.service.stopped()
    gateway.close()
