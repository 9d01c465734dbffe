"""All names that people gave modids and cmdids, for services and commands that find modules by them."""

from collections.abc import Iterable
from dataclasses import dataclass

from lars.db.database import Database
from lars.db.engine import Transaction


@dataclass(frozen=True, slots=True)
class Names:
    """The names by number; of several for one number, the first in the order of the database."""

    modids: dict[int, str]
    cmdids: dict[int, str]


class NameStore:
    """The names in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Names:
        """Every name; raises DatabaseError."""
        return await self._database.read("read the names", all_names_txn)


def all_names_txn(txn: Transaction) -> Names:
    """See NameStore.all."""
    return Names(_of_table(txn, "ModIDConfig", "modid"), _of_table(txn, "CmdIDConfig", "cmdid"))


def _of_table(txn: Transaction, table: str, column: str) -> dict[int, str]:
    rows = txn.all(f"SELECT {column}, MIN(content) FROM {table} GROUP BY {column}")
    return {int(number): str(name) for number, name in rows}


def existing_txn(txn: Transaction, modules: Iterable[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """Those of some modules that have hosts; without a cmdid, those modids that have a module."""
    found: list[tuple[int, int | None]] = []
    for modid, cmdid in modules:
        of_cmdid, parameters = ("", [modid]) if cmdid is None else (" AND cmdid = ?", [modid, cmdid])
        if txn.one(f"SELECT 1 FROM RouteData WHERE modid = ?{of_cmdid} LIMIT 1", parameters):
            found.append((modid, cmdid))
    return found
