"""The route store: reads for lars-dns, and the one transaction that edits routes.

See docs/design/database.md, edits.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from lars.db.audit import Edit, record_txn
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.hosts import (
    Records,
    drains_over_txn,
    host_rows_txn,
    insert_records_txn,
    parts,
    records_of_txn,
    settings_of_txn,
    update_records_txn,
    write_settings_txn,
)
from lars.errors import InvalidRoute, NoSuchHost
from lars.host_record import KEEP, PLAIN, HostChange, HostRecord, HostRow
from lars.module_settings import Settings, as_json, from_json
from lars.route import MAX_HOSTS, HostAddress, ModuleId, format_ip

Within = Callable[[ModuleId], bool]
"""Whether a module may be edited."""


@dataclass(frozen=True, slots=True)
class RouteEdit:
    """An edit of one module.

    Attributes:
        module: the module.
        add, remove: hosts to add and to remove; one that is in both stays.
        replace: `add` is all of its hosts.
        actor: replaces the actor of the whole call in the audit, unless it is empty.
        change: changes of the records of hosts, added ones too.
        settings: makes the module's settings of those that it has now; None where they stay.
    """

    module: ModuleId
    add: frozenset[HostAddress] = frozenset()
    remove: frozenset[HostAddress] = frozenset()
    replace: bool = False
    actor: str = ""
    change: Mapping[HostAddress, HostChange] = field(default_factory=dict)
    settings: Callable[[Settings], Settings] | None = None

    @classmethod
    def of_file(cls, module: ModuleId, hosts: Mapping[HostAddress, HostChange], replace: bool) -> "RouteEdit":
        """The edit that adds the hosts of a file with what it says of each; with `replace`, they are all hosts."""
        change = {host: change for host, change in hosts.items() if change is not KEEP}
        return cls(module, frozenset(hosts), replace=replace, change=change)


@dataclass(frozen=True, slots=True)
class RouteChanged:
    """One module that an edit changed.

    Attributes:
        module: the module.
        before, after: its hosts, sorted.
        altered: hosts that stay, each with its record before and after, sorted.
        records: the records of added and of removed hosts that are not plain.
        settings: the texts of the module's settings before and after.
    """

    module: ModuleId
    before: tuple[HostAddress, ...]
    after: tuple[HostAddress, ...]
    altered: tuple[tuple[HostAddress, HostRecord, HostRecord], ...] = ()
    records: Records = field(default_factory=dict)
    settings: tuple[str, str] = ("", "")

    @property
    def added(self) -> list[HostAddress]:
        """The hosts that are new in the route, sorted."""
        return sorted(set(self.after) - set(self.before))

    @property
    def removed(self) -> list[HostAddress]:
        """The hosts that are no longer in the route, sorted."""
        return sorted(set(self.before) - set(self.after))

    @property
    def altered_lines(self) -> list[str]:
        """One line for each host whose record is another: the host, and what differs."""
        return [f"{host}: {', '.join(old.differences(new))}" for host, old, new in self.altered]

    @property
    def texts(self) -> tuple[str, str]:
        """What is different, before and after: one line for each host, and one for the settings."""
        before = [self._text(host) for host in self.removed]
        after = [self._text(host) for host in self.added]
        for host, old, new in self.altered:
            before.append(_line(host, old))
            after.append(_line(host, new))
        if self.settings[0] != self.settings[1]:
            for lines, text in zip((before, after), self.settings, strict=True):
                lines += [f"settings {text}"] if text else []
        return "\n".join(before), "\n".join(after)

    def _text(self, host: HostAddress) -> str:
        return _line(host, self.records.get(host, PLAIN))


def _line(host: HostAddress, record: HostRecord) -> str:
    return " ".join([str(host), *record.texts])


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

    async def load(self) -> tuple[int, list[HostRow]]:
        """The version and all rows as of one moment, ordered by module, ip and port."""
        return await self._database.read("load all routes", load_txn)

    async def routes(self, modid: int | None = None, cmdid: int | None = None) -> list[HostRow]:
        """The rows of all modules, of one modid, or of one module, ordered by module, ip and port."""
        return await self._database.read("list routes", routes_txn, modid, cmdid)

    async def edit(self, actor: str, now: float, edits: Sequence[RouteEdit]) -> EditDone:
        """Makes the edits in one transaction with one new version, or none of them.

        Args:
            actor: who makes the edits, for the audit.
            now: Unix seconds.
            edits: at most one for each module.

        Raises InvalidRoute if a module would have more than MAX_HOSTS hosts, NoSuchHost if one that is to be changed is
        not there.
        """
        return await self._database.write_again("edit routes", edit_txn, actor, now, edits)

    async def edit_machine(
        self, actor: str, now: float, ip: int, change: HostChange, within: Within | None = None
    ) -> EditDone:
        """Changes the record of every host at an address, in all modules, in one transaction; see `edit`.

        With `within`, hosts of modules for which it is false stay as they are.

        Raises NoSuchHost if no such module has a host at the address.
        """
        return await self._database.write_again("edit a machine", edit_machine_txn, actor, now, ip, change, within)

    async def end_drains(self, actor: str, now: float | None = None) -> EditDone:
        """Restores the weights of hosts whose drain is over; 10,000 hosts at most a call.

        A repetition finds nothing to do. Any number of processes may call it.

        Args:
            actor: who ends the drains, for the audit.
            now: Unix seconds; None: by the database's clock.
        """
        version, is_over = await self._database.read("look for drains that are over", _is_a_drain_over_txn, now)
        if not is_over:
            return EditDone(version, ())  # as most often: nobody waits for the lock
        return await self._database.write_again("end drains", end_drains_txn, actor, now)

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


def load_txn(txn: Transaction) -> tuple[int, list[HostRow]]:
    """See RouteStore.load."""
    return version_txn(txn), routes_txn(txn)


def routes_txn(txn: Transaction, modid: int | None = None, cmdid: int | None = None) -> list[HostRow]:
    """See RouteStore.routes."""
    conditions, parameters = [], []
    for column, value in (("modid", modid), ("cmdid", cmdid)):
        if value is not None:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return host_rows_txn(txn, f"{where} ORDER BY modid, cmdid, serverip, serverport", parameters)


def edit_txn(txn: Transaction, actor: str, now: float, edits: Sequence[RouteEdit]) -> EditDone:
    """Edits RouteData, RouteChange, RouteAudit and the version together; the version row is locked first.

    A host that is removed loses its lease. See RouteStore.edit.
    """
    version = locked_version_txn(txn)
    modules = [edit.module for edit in edits]
    before = records_of_txn(txn, modules)
    settings = settings_of_txn(txn, modules) if any(edit.settings for edit in edits) else {}
    results = [_changed(edit, before[edit.module], settings.get(edit.module, "")) for edit in edits]
    changed = tuple(change for change in results if change is not None)
    if not changed:
        return EditDone(version, ())
    version = max(version + 1, int(now))
    for change in changed:
        if len(change.after) > MAX_HOSTS and len(change.after) > len(change.before):
            raise InvalidRoute(f"module {change.module} would have {len(change.after)} hosts; {MAX_HOSTS} at most")
    _write_txn(txn, changed, version)
    actors = {edit.module: edit.actor or actor for edit in edits}
    for who in sorted(set(actors.values())):
        edited = [c for c in changed if actors[c.module] == who]
        record_txn(txn, who, now, [Edit("hosts", *c.module, *c.texts, version) for c in edited])
    txn.execute(txn.engine.upsert("RouteVersion", ["id"], ["version"]), (1, version))
    return EditDone(version, changed)


def edit_machine_txn(
    txn: Transaction, actor: str, now: float, ip: int, change: HostChange, within: Within | None = None
) -> EditDone:
    """See RouteStore.edit_machine."""
    locked_version_txn(txn)
    changes: dict[ModuleId, dict[HostAddress, HostChange]] = defaultdict(dict)
    for modid, cmdid, _ip, port, _record in host_rows_txn(
        txn, "WHERE serverip = ? ORDER BY modid, cmdid, serverport", (ip,)
    ):
        module = ModuleId(modid, cmdid)
        if within is None or within(module):
            changes[module][HostAddress(ip, port)] = change
    if not changes and within is not None:
        raise NoSuchHost(f"no module that you may edit has a host at {format_ip(ip)}")
    if not changes:
        raise NoSuchHost(f"no module has a host at {format_ip(ip)}: `lars route list` shows all hosts")
    return edit_txn(txn, actor, now, [RouteEdit(module, change=hosts) for module, hosts in changes.items()])


def _is_a_drain_over_txn(txn: Transaction, now: float | None) -> tuple[int, bool]:
    """The version, and whether end_drains_txn has something to do."""
    return version_txn(txn), bool(drains_over_txn(txn, txn.now() if now is None else now))


def end_drains_txn(txn: Transaction, actor: str, now: float | None = None) -> EditDone:
    """See RouteStore.end_drains."""
    locked_version_txn(txn)  # before the first read, which on MySQL decides what the later ones see
    now = txn.now() if now is None else now
    over = drains_over_txn(txn, now)
    edits = [RouteEdit(module, change=dict.fromkeys(hosts, HostChange(undrain=True))) for module, hosts in over.items()]
    return edit_txn(txn, actor, now, edits)


def _changed(edit: RouteEdit, before: Records, settings: str) -> RouteChanged | None:
    """What an edit changes; None if that is nothing."""
    hosts = set(edit.add) if edit.replace else (before.keys() - edit.remove) | edit.add
    after = {host: before.get(host, PLAIN) for host in hosts}
    for host, change in edit.change.items():
        if host not in after:
            raise NoSuchHost(f"module {edit.module} has no host {host}: add it first")
        after[host] = change.applied(after[host])
    text = settings if edit.settings is None else as_json(edit.settings(from_json(settings)[0]))
    if after == before and text == settings:
        return None
    differing = sorted(host for host in after.keys() & before.keys() if after[host] != before[host])
    moved = after.keys() ^ before.keys()
    records = {host: record for host in moved if (record := after.get(host) or before[host]) is not PLAIN}
    return RouteChanged(
        edit.module,
        tuple(sorted(before)),
        tuple(sorted(after)),
        tuple((host, before[host], after[host]) for host in differing),
        records,
        (settings, text),
    )


def _write_txn(txn: Transaction, changed: Sequence[RouteChanged], version: int) -> None:
    """Writes RouteData, RouteLease, ModuleSettings and RouteChange."""
    removed = [(*c.module, *host) for c in changed for host in c.removed]
    txn.execute_many("DELETE FROM RouteData WHERE modid = ? AND cmdid = ? AND serverip = ? AND serverport = ?", removed)
    if removed and txn.one("SELECT modid FROM RouteLease LIMIT 1"):
        txn.execute_many("DELETE FROM RouteLease WHERE modid = ? AND cmdid = ? AND ip = ? AND port = ?", removed)
    insert_records_txn(txn, [(c.module, host, c.records.get(host, PLAIN)) for c in changed for host in c.added])
    update_records_txn(txn, [(c.module, host, record) for c in changed for host, _before, record in c.altered])
    for change in changed:
        if change.settings[0] != change.settings[1]:
            write_settings_txn(txn, change.module, change.settings[1], version)
    changes = [(*c.module, version) for c in changed]
    txn.execute_many("INSERT INTO RouteChange (modid, cmdid, version) VALUES (?, ?, ?)", changes)


def hosts_of_txn(txn: Transaction, modules: Collection[ModuleId]) -> dict[ModuleId, set[HostAddress]]:
    """The hosts of each of some modules, if it has any, in a defaultdict."""
    hosts: dict[ModuleId, set[HostAddress]] = defaultdict(set)
    for some in parts(list(modules), 200):
        one = "modid = ? AND cmdid = ?"
        rows = txn.all(
            f"SELECT modid, cmdid, serverip, serverport FROM RouteData WHERE {' OR '.join([one] * len(some))}",
            [number for module in some for number in module],
        )
        for modid, cmdid, ip, port in rows:
            if isinstance(ip, int) and isinstance(port, int):  # SQLite stores any type
                hosts[ModuleId(modid, cmdid)].add(HostAddress(ip, port))
    return hosts
