"""The hosts at one address, in all modules: a machine, which is drained as a whole.

See docs/design/database.md, host records.
"""

import hashlib
from dataclasses import dataclass

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.hosts import host_rows_txn
from lars.db.modules import EditConflict, joined_name, names_txn
from lars.db.routes import EditDone, Within, edit_machine_txn, locked_version_txn
from lars.host_record import HostChange, HostRecord
from lars.route import HostAddress, ModuleId, format_ip


@dataclass(frozen=True, slots=True)
class MachineHost:
    """One host of a machine: in which module, the name of that, and the host's record."""

    module: ModuleId
    name: str
    host: HostAddress
    record: HostRecord


@dataclass(frozen=True, slots=True)
class Machine:
    """The hosts at an address as of one moment, sorted by module and port."""

    ip: int
    hosts: tuple[MachineHost, ...]

    @property
    def seen(self) -> str:
        """A digest of the hosts and their records, to notice when somebody else has edited one."""
        content = repr([(host.module, host.host, host.record) for host in self.hosts])
        return hashlib.sha256(content.encode()).hexdigest()[:20]

    @property
    def draining(self) -> int:
        """How many of the hosts an operator has drained."""
        return sum(host.record.draining for host in self.hosts)


class MachineStore:
    """Machines in the database; `now` is in Unix seconds, `actor` is for the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def machine(self, ip: int) -> Machine:
        """The machine at an address; without hosts if no module has one there."""
        return await self._database.read("read a machine", machine_txn, ip)

    async def edit(
        self, actor: str, now: float, ip: int, change: HostChange, seen: str, within: Within | None = None
    ) -> EditDone:
        """Changes the record of every host of a machine, with `within` only in the modules for which it is true.

        Raises EditConflict if `seen` is not Machine.seen.
        """
        return await self._database.write(
            "edit a machine as seen", edit_seen_machine_txn, actor, now, ip, change, seen, within
        )


def machine_txn(txn: Transaction, ip: int) -> Machine:
    """See MachineStore.machine."""
    rows = host_rows_txn(txn, "WHERE serverip = ? ORDER BY modid, cmdid, serverport", (ip,))
    modids, cmdids = names_txn(txn, [ModuleId(modid, cmdid) for modid, cmdid, _ip, _port, _record in rows])
    hosts = [
        MachineHost(
            ModuleId(modid, cmdid), joined_name(modids.get(modid), cmdids.get(cmdid)), HostAddress(ip, port), record
        )
        for modid, cmdid, _ip, port, record in rows
    ]
    return Machine(ip, tuple(hosts))


def edit_seen_machine_txn(
    txn: Transaction,
    actor: str,
    now: float,
    ip: int,
    change: HostChange,
    seen: str,
    within: Within | None = None,
) -> EditDone:
    """See MachineStore.edit."""
    locked_version_txn(txn)
    if machine_txn(txn, ip).seen != seen:
        raise EditConflict(f"hosts at {format_ip(ip)} have been edited by somebody else: load them again")
    return edit_machine_txn(txn, actor, now, ip, change, within)
