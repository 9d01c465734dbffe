"""What ServerCallHistory sums to."""

from lars.db.database import Database
from lars.db.engine import DatabaseAway, Transaction
from tests.integration.reporter.agents import HostOfModule


def _sums_txn(txn: Transaction) -> dict[HostOfModule, tuple[int, int]]:
    rows = txn.all(
        "SELECT modid, cmdid, ip, port, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
        "GROUP BY modid, cmdid, ip, port"
    )
    return {(modid, cmdid, ip, port): (int(succ), int(err)) for modid, cmdid, ip, port, succ, err in rows}


async def sums(database: Database) -> dict[HostOfModule, tuple[int, int]]:
    """Successes and failures by host, of all minutes."""
    for _ in range(5):  # connections from before a kill of the server are broken
        try:
            return await database.read("sum up the history", _sums_txn)
        except DatabaseAway:
            continue
    raise AssertionError("the database does not answer")
