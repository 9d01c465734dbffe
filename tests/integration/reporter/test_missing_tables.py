"""A database without tables: lars-reporter says so before any report comes, and goes on once they are there."""

from collections.abc import Callable

from lars.db.database import Database
from lars.db.schema import init_txn
from tests.integration.conftest import StartService
from tests.integration.running_service import RunningService


async def test_database_without_tables_is_named_with_what_to_do(
    start_service: StartService, open_database: Callable[[str], Database], sqlite_url: str
) -> None:
    reporter = RunningService(start_service, "lars-reporter", sqlite_url)
    try:
        await reporter.up()
        await reporter.service.says("run `lars db init` to create what is missing")
        status, text = reporter.page("/readyz")
        assert (status, "ReportCursor" in text) == (503, True)
        await open_database(sqlite_url).write("create the tables", init_txn)
        await reporter.service.says("the database answers again")
        assert reporter.page("/readyz")[0] == 200
    finally:
        reporter.close()
