"""The route store: reads for lars-dns, and the one transaction that edits routes.

See docs/design/database.md, edits.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from lars.db.audit import Edit, record_txn
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.errors import InvalidRoute
from lars.route import MAX_HOSTS, HostAddress, ModuleId, RouteRow


@dataclass(frozen=True, slots=True)
class RouteEdit:
    """An edit of one module: hosts to `add` and to `remove`; with `replace`, `add` is all of its hosts.

    `actor`, unless it is empty, replaces the actor of the whole call in the audit.
    """

    module: ModuleId
    add: frozenset[HostAddress] = frozenset()
    remove: frozenset[HostAddress] = frozenset()
    replace: bool = False
    actor: str = ""


@dataclass(frozen=True, slots=True)
class RouteChanged:
    """One module that an edit changed; hosts are sorted."""

    module: ModuleId
    before: tuple[HostAddress, ...]
    after: tuple[HostAddress, ...]

    @property
    def added(self) -> list[HostAddress]:
        """The hosts that are new in the route, sorted."""
        return sorted(set(self.after) - set(self.before))

    @property
    def removed(self) -> list[HostAddress]:
        """The hosts that are no longer in the route, sorted."""
        return sorted(set(self.before) - set(self.after))


@dataclass(frozen=True, slots=True)
class EditDone:
    """The version after an edit, and the modules that it changed: none if there was nothing to do."""

    version: int
    changed: tuple[RouteChanged, ...]


class RouteStore:
    """Routes in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> int:
        """The route version; any other value than before is a change, even a smaller one."""
        return await self._database.read("read the route version", version_txn)

    async def load(self) -> tuple[int, list[RouteRow]]:
        """The version and all rows as of one moment, ordered by module, ip and port."""
        return await self._database.read("load all routes", load_txn)

    async def routes(self, modid: int | None = None, cmdid: int | None = None) -> list[RouteRow]:
        """The rows of all modules, of one modid, or of one module, ordered by module, ip and port."""
        return await self._database.read("list routes", routes_txn, modid, cmdid)

    async def edit(self, actor: str, now: float, edits: Sequence[RouteEdit]) -> EditDone:
        """Makes the edits in one transaction with one new version, or none of them.

        Args:
            actor: who makes the edits, for the audit.
            now: Unix seconds.
            edits: at most one for each module.

        Raises InvalidRoute if a module would have more than MAX_HOSTS hosts.
        """
        return await self._database.write_again("edit routes", edit_txn, actor, now, edits)

    async def rehearse(self, actor: str, now: float, edits: Sequence[RouteEdit]) -> EditDone:
        """The result that the edits would have; raises what edit would raise. They are made and rolled back."""
        try:
            await self._database.write("rehearse edits of routes", _rehearse_txn, actor, now, edits)
        except _Rehearsed as rehearsed:
            return rehearsed.done

    async def edit_as_shown(
        self, actor: str, now: float, edits: Sequence[RouteEdit], as_shown: Callable[[EditDone], bool]
    ) -> EditDone | None:
        """Makes the edits if `as_shown` accepts their result, else rolls back and returns None."""

        def checked_txn(txn: Transaction) -> EditDone:
            done = edit_txn(txn, actor, now, edits)
            if not as_shown(done):
                raise _Rehearsed(done)
            return done

        try:
            return await self._database.write("edit routes as shown", checked_txn)
        except _Rehearsed:
            return None


class _Rehearsed(Exception):
    """Rolls back the transaction of a rehearsal."""

    def __init__(self, done: EditDone) -> None:
        super().__init__()
        self.done = done


def _rehearse_txn(txn: Transaction, actor: str, now: float, edits: Sequence[RouteEdit]) -> NoReturn:
    raise _Rehearsed(edit_txn(txn, actor, now, edits))


def version_txn(txn: Transaction) -> int:
    """See RouteStore.version."""
    row = txn.one("SELECT version FROM RouteVersion WHERE id = 1")
    return int(row[0]) if row else 0


def locked_version_txn(txn: Transaction) -> int:
    """The version, locked until the transaction ends: no edit can change what is read after it."""
    row = txn.one(f"SELECT version FROM RouteVersion WHERE id = 1{txn.engine.for_update}")
    return int(row[0]) if row else 0


def load_txn(txn: Transaction) -> tuple[int, list[RouteRow]]:
    """See RouteStore.load."""
    return version_txn(txn), routes_txn(txn)


def routes_txn(txn: Transaction, modid: int | None = None, cmdid: int | None = None) -> list[RouteRow]:
    """See RouteStore.routes."""
    conditions, parameters = [], []
    for column, value in (("modid", modid), ("cmdid", cmdid)):
        if value is not None:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = txn.all(
        f"SELECT modid, cmdid, serverip, serverport FROM RouteData {where} ORDER BY modid, cmdid, serverip, serverport",
        parameters,
    )
    return [(modid, cmdid, ip, port) for modid, cmdid, ip, port in rows]


def edit_txn(txn: Transaction, actor: str, now: float, edits: Sequence[RouteEdit]) -> EditDone:
    """Edits RouteData, RouteChange, RouteAudit and the version together; the version row is locked first.

    A host that is removed loses its lease. See RouteStore.edit.
    """
    version = locked_version_txn(txn)
    before = hosts_of_txn(txn, [edit.module for edit in edits])
    changed = tuple(
        RouteChanged(edit.module, tuple(sorted(old)), tuple(sorted(new)))
        for edit in edits
        if (new := _after(edit, old := before[edit.module])) != old
    )
    if not changed:
        return EditDone(version, ())
    version = max(version + 1, int(now))
    for change in changed:
        if len(change.after) > MAX_HOSTS and len(change.after) > len(change.before):
            raise InvalidRoute(f"module {change.module} would have {len(change.after)} hosts; {MAX_HOSTS} at most")
    removed = [(*c.module, *host) for c in changed for host in c.removed]
    txn.execute_many("DELETE FROM RouteData WHERE modid = ? AND cmdid = ? AND serverip = ? AND serverport = ?", removed)
    if removed and txn.one("SELECT modid FROM RouteLease LIMIT 1"):
        txn.execute_many("DELETE FROM RouteLease WHERE modid = ? AND cmdid = ? AND ip = ? AND port = ?", removed)
    added = [(*c.module, *host) for c in changed for host in c.added]
    txn.execute_many(txn.engine.insert_ignore("RouteData", ["modid", "cmdid", "serverip", "serverport"]), added)
    changes = [(*c.module, version) for c in changed]
    txn.execute_many("INSERT INTO RouteChange (modid, cmdid, version) VALUES (?, ?, ?)", changes)
    actors = {edit.module: edit.actor or actor for edit in edits}
    for who in sorted(set(actors.values())):
        edited = [c for c in changed if actors[c.module] == who]
        record_txn(
            txn, who, now, [Edit("hosts", *c.module, _listed(c.before), _listed(c.after), version) for c in edited]
        )
    txn.execute(txn.engine.upsert("RouteVersion", ["id"], ["version"]), (1, version))
    return EditDone(version, changed)


def _after(edit: RouteEdit, before: set[HostAddress]) -> set[HostAddress]:
    return set(edit.add) if edit.replace else (before - edit.remove) | edit.add


def _listed(hosts: Iterable[HostAddress]) -> str:
    return " ".join(map(str, hosts))


def hosts_of_txn(txn: Transaction, modules: Collection[ModuleId]) -> dict[ModuleId, set[HostAddress]]:
    """The hosts of each of some modules, if it has any, in a defaultdict."""
    hosts: dict[ModuleId, set[HostAddress]] = defaultdict(set)
    for some in _parts(list(modules), 200):
        one = "modid = ? AND cmdid = ?"
        rows = txn.all(
            f"SELECT modid, cmdid, serverip, serverport FROM RouteData WHERE {' OR '.join([one] * len(some))}",
            [number for module in some for number in module],
        )
        for modid, cmdid, ip, port in rows:
            if isinstance(ip, int) and isinstance(port, int):  # SQLite stores any type
                hosts[ModuleId(modid, cmdid)].add(HostAddress(ip, port))
    return hosts


def _parts(items: list[ModuleId], size: int) -> Iterator[list[ModuleId]]:
    return (items[i : i + size] for i in range(0, len(items), size))
