"""The module store: search, names, and edits with optimistic locking.

See docs/design/database.md, edits.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lars.db.audit import Edit, record_txn
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.hosts import records_of_txn, settings_of_txn
from lars.db.routes import EditDone, RouteEdit, edit_txn, hosts_of_txn, locked_version_txn
from lars.db.write_cursor import one_at_a_time_txn
from lars.errors import InvalidRoute, LarsError
from lars.host_record import HostRecord
from lars.route import MAX_ID, HostAddress, ModuleId, parse_host, parse_ip

MAX_NAME = 255
"""Characters of a name: the width of the C++ system's column."""


class EditConflict(LarsError):
    """Somebody else has made an edit: the current state is not the one that the user saw."""


@dataclass(frozen=True, slots=True)
class ModuleSearch:
    """A search for modules: `text` as search_condition reads it, `sort` one of SORTS."""

    text: str = ""
    sort: str = "module"
    descending: bool = False
    offset: int = 0
    limit: int = 50
    after: ModuleId | None = None
    """With the sort "module" ascending: only modules that come after this one."""
    ejected_since: int | None = None
    """Only modules in trouble: more than 1 % of their calls failed, or a caller that has reported since then (Unix
    seconds) has ejected a host. None: all."""


SORTS = ("module", "name", "hosts", "calls", "errors", "rate")


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease of a host that registered itself: `ttl` in seconds, `expires_at` in Unix milliseconds."""

    ttl: int
    expires_at: int
    owner: str


@dataclass(frozen=True, slots=True)
class Module:
    """A module as of one moment. A host is in `leases` if it registered itself.

    `settings` is the text of the module's settings (lars.module_settings.from_json).
    """

    id: ModuleId
    modid_name: str
    cmdid_name: str
    hosts: tuple[HostAddress, ...]
    leases: dict[HostAddress, Lease] = field(default_factory=dict)
    records: Mapping[HostAddress, HostRecord] = field(default_factory=dict)
    settings: str = ""

    @property
    def seen(self) -> str:
        """A digest of the hosts that users edit; hosts that register themselves do not change it."""
        return seen_digest(self.kept_by_people)

    def seen_by(self, edit: RouteEdit) -> str:
        """The digest of what an edit is based on: the settings, the records that it changes, or else `seen`."""
        if edit.settings is not None:
            return _digest(self.settings)
        if edit.change and not (edit.add or edit.remove or edit.replace):
            return _digest(repr([(host, self.records.get(host)) for host in sorted(edit.change)]))
        return self.seen

    @property
    def kept_by_people(self) -> tuple[HostAddress, ...]:
        """The hosts that did not register themselves."""
        return tuple(host for host in self.hosts if host not in self.leases)

    @property
    def etag(self) -> str:
        """A digest of what the API shows of the module; the renewal of a lease does not change it."""
        leases = [(host, lease.ttl, lease.owner) for host, lease in sorted(self.leases.items())]
        records = [self.records.get(host) for host in self.hosts]
        content = repr((self.modid_name, self.cmdid_name, self.hosts, leases, records, self.settings))
        return _digest(content)


@dataclass(frozen=True, slots=True)
class ModuleFound:
    """A module in the result of a search; `hosts` is their number."""

    id: ModuleId
    hosts: int
    modid_name: str
    cmdid_name: str


def seen_digest(hosts: Iterable[HostAddress]) -> str:
    """The digest of a set of hosts, in any order, for a form or an ETag."""
    return _digest(" ".join(map(str, sorted(hosts))))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class ModuleStore:
    """Modules in the database; `now` is in Unix seconds, `actor` is for the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, search: ModuleSearch, since: int) -> list[ModuleFound]:
        """A page of modules. Calls and errors count from the minute `since` (Unix seconds) on."""
        return await self._database.read("find modules", _find_txn, search, since)

    async def count(self, text: str) -> int:
        """How many modules a search finds."""
        return await self._database.read("count modules", _count_txn, text)

    async def count_troubled(self, search: ModuleSearch, since: int) -> int:
        """How many modules a search with `ejected_since` finds; see find."""
        return await self._database.read("count modules in trouble", _count_troubled_txn, search, since)

    async def module(self, module: ModuleId) -> Module:
        """A module; without hosts if it has none."""
        return await self._database.read("read a module", module_txn, module)

    async def edit(self, actor: str, now: float, edit: RouteEdit, seen: str | None) -> EditDone:
        """Edits one module.

        Raises EditConflict if `seen` is given and is not what Module.seen_by gives for this edit. With `seen`, a
        replacement keeps hosts that registered themselves.
        """
        return await self._database.write("edit a module", _edit_seen_txn, actor, now, edit, seen)

    async def edit_tagged(
        self, actor: str, now: float, edit: RouteEdit, etags: Collection[str] | None
    ) -> tuple[EditDone, str]:
        """Edits one module's hosts, and returns the etag that this edit gives the module, whatever follows.

        Raises EditConflict if `etags` are given and none of them is Module.etag; "*" matches any module with hosts.
        """
        return await self._database.write("edit a module", _edit_tagged_txn, actor, now, edit, etags)

    async def rename(self, actor: str, now: float, what: str, number: int, name: str, seen: str | None) -> bool:
        """Sets the name of a modid or cmdid (`what`), or removes it if empty; returns whether that changed anything.

        Raises EditConflict if `seen` is given and is not the current name, InvalidRoute if the number is out of range
        or the name is too long.
        """
        return await self._database.write("rename", _rename_txn, actor, now, what, number, name, seen)


_HAVING = "(modid, cmdid) IN (SELECT modid, cmdid FROM RouteData WHERE {})"
"""All rows of the modules that have a host."""


def search_condition(text: str) -> tuple[str, list[object]]:
    """The SQL condition on RouteData, and its parameters, for the text of a search.

    "1 1", "(1, 1)" and "1/1" are a module, "7" is a modid or cmdid, an address is a host; anything else is part of a
    name.
    """
    text = text.strip()
    if not text:
        return "1 = 1", []
    if pair := re.fullmatch(r"\(?\s*(\d{1,10})\s*[\s,./]\s*(\d{1,10})\s*\)?", text):
        return "modid = ? AND cmdid = ?", [int(pair[1]), int(pair[2])]
    if re.fullmatch(r"\d{1,10}", text):
        return "(modid = ? OR cmdid = ?)", [int(text), int(text)]
    try:
        if ":" in text:
            return _HAVING.format("serverip = ? AND serverport = ?"), [*parse_host(text)]
        return _HAVING.format("serverip = ?"), [parse_ip(text)]
    except InvalidRoute:
        pattern = "%" + re.sub(r"([!%_])", r"!\1", text) + "%"
        modids = "SELECT modid FROM ModIDConfig WHERE content LIKE ? ESCAPE '!'"
        cmdids = "SELECT cmdid FROM CmdIDConfig WHERE content LIKE ? ESCAPE '!'"
        return f"(modid IN ({modids}) OR cmdid IN ({cmdids}))", [pattern, pattern]


_MODULES = "SELECT modid, cmdid, COUNT(*) AS hosts FROM RouteData WHERE {condition} GROUP BY modid, cmdid"
_CALLS = (
    "SELECT modid, cmdid, SUM(succ_cnt + err_cnt) AS calls, SUM(err_cnt) AS errors "
    "FROM ServerCallHistory WHERE minute >= ? GROUP BY modid, cmdid"
)


def _name_of(table: str, column: str) -> str:
    return f"COALESCE((SELECT MIN(content) FROM {table} WHERE {table}.{column} = r.{column}), '')"


_NAMES = f"{_name_of('ModIDConfig', 'modid')} {{way}}, {_name_of('CmdIDConfig', 'cmdid')} {{way}}"


def _find_txn(txn: Transaction, search: ModuleSearch, since: int) -> list[ModuleFound]:
    condition, parameters = search_condition(search.text)
    if search.after is not None:
        modid, cmdid = search.after
        condition = f"({condition}) AND modid >= ? AND (modid > ? OR cmdid > ?)"
        parameters = [*parameters, modid, modid, cmdid]
    modules, way = _MODULES.format(condition=condition), "DESC" if search.descending else "ASC"
    if search.ejected_since is not None:
        modules, parameters = _troubled(modules, [*parameters, since], search.ejected_since)
    page = f"LIMIT {int(search.limit)} OFFSET {int(search.offset)}"
    by_id = "r.modid, r.cmdid"
    if search.sort == "module":
        query = f"{modules} ORDER BY modid {way}, cmdid {way} {page}"
    elif search.sort == "hosts":
        query = f"{modules} ORDER BY hosts {way}, modid, cmdid {page}"
    elif search.sort == "name":
        query = f"SELECT * FROM ({modules}) AS r ORDER BY {_NAMES.format(way=way)}, {by_id} {page}"
    else:
        order = f"{_ORDERS[search.sort]} {way}, {by_id}"
        query = f"SELECT r.modid, r.cmdid, r.hosts FROM {_joined(modules)} ORDER BY {order} {page}"
        parameters = [*parameters, since]
    found = [(ModuleId(row[0], row[1]), int(row[2])) for row in txn.all(query, parameters)]
    modids, cmdids = names_txn(txn, [module for module, _hosts in found])
    return [ModuleFound(m, hosts, modids.get(m.modid, ""), cmdids.get(m.cmdid, "")) for m, hosts in found]


def _joined(modules: str) -> str:
    """Modules with their calls."""
    return f"({modules}) AS r LEFT JOIN ({_CALLS}) AS c ON c.modid = r.modid AND c.cmdid = r.cmdid"


_ORDERS = {
    "calls": "COALESCE(c.calls, 0)",
    "errors": "COALESCE(c.errors, 0)",
    "rate": "COALESCE(c.errors * 1e0 / c.calls, 0)",
}
"""What a sort by calls sorts by. No division by zero: both engines make NULL of it."""


def _troubled(modules: str, parameters: list[object], ejected_since: int) -> tuple[str, list[object]]:
    """Those of some modules that are in trouble, as the overview has it, and the parameters."""
    ejected = "SELECT modid, cmdid FROM ServerCallStatus WHERE overload = '1' AND ts >= ?"
    trouble = f"c.errors * 100 > c.calls OR (r.modid, r.cmdid) IN ({ejected})"
    query = f"SELECT r.modid AS modid, r.cmdid AS cmdid, r.hosts AS hosts FROM {_joined(modules)} WHERE {trouble}"
    return query, [*parameters, ejected_since]


def _count_troubled_txn(txn: Transaction, search: ModuleSearch, since: int) -> int:
    condition, parameters = search_condition(search.text)
    query, parameters = _troubled(_MODULES.format(condition=condition), [*parameters, since], search.ejected_since or 0)
    row = txn.one(f"SELECT COUNT(*) FROM ({query}) AS troubled", parameters)
    return int(row[0]) if row else 0


def _count_txn(txn: Transaction, text: str) -> int:
    condition, parameters = search_condition(text)
    row = txn.one(f"SELECT COUNT(*) FROM ({_MODULES.format(condition=condition)}) AS modules", parameters)
    return int(row[0]) if row else 0


def names_txn(txn: Transaction, modules: Collection[ModuleId]) -> tuple[dict[int, str], dict[int, str]]:
    """The names of the modids and of the cmdids of some modules."""
    return (
        _names(txn, "ModIDConfig", "modid", sorted({module.modid for module in modules})),
        _names(txn, "CmdIDConfig", "cmdid", sorted({module.cmdid for module in modules})),
    )


def joined_name(modid_name: str | None, cmdid_name: str | None) -> str:
    """The name of a module, of the names of its modid and its cmdid: "shop / pay"; empty without either."""
    return " / ".join(filter(None, (modid_name, cmdid_name)))


def _names(txn: Transaction, table: str, column: str, numbers: Sequence[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    for start in range(0, len(numbers), 500):
        some = numbers[start : start + 500]
        query = f"SELECT {column}, MIN(content) FROM {table} WHERE {column} IN ({', '.join('?' * len(some))})"
        names.update((int(number), str(name)) for number, name in txn.all(f"{query} GROUP BY {column}", some))
    return names


def module_txn(txn: Transaction, module: ModuleId) -> Module:
    """See ModuleStore.module."""
    records = records_of_txn(txn, [module])[module]
    settings = settings_of_txn(txn, [module]).get(module, "")
    modids, cmdids = names_txn(txn, [module])
    leases = leases_of_txn(txn, module)
    names = modids.get(module.modid, ""), cmdids.get(module.cmdid, "")
    return Module(module, *names, tuple(sorted(records)), leases, records, settings)


def leases_of_txn(txn: Transaction, module: ModuleId) -> dict[HostAddress, Lease]:
    """The leases of a module, also of hosts that SQL has removed from its route."""
    rows = txn.all(
        "SELECT ip, port, ttl, expires_at, owner FROM RouteLease WHERE modid = ? AND cmdid = ?", tuple(module)
    )
    return {HostAddress(ip, port): Lease(ttl, expires_at, owner) for ip, port, ttl, expires_at, owner in rows}


def _edit_seen_txn(txn: Transaction, actor: str, now: float, edit: RouteEdit, seen: str | None) -> EditDone:
    locked_version_txn(txn)
    if seen is not None:
        module = module_txn(txn, edit.module)
        if seen != module.seen_by(edit):
            raise _conflict(module)
        if edit.replace:  # a user's list leaves out hosts that registered themselves
            gone = frozenset(module.kept_by_people) - edit.add
            edit = replace(edit, remove=gone, replace=False)
    return edit_txn(txn, actor, now, [edit])


def _edit_tagged_txn(
    txn: Transaction, actor: str, now: float, edit: RouteEdit, etags: Collection[str] | None
) -> tuple[EditDone, str]:
    locked_version_txn(txn)
    module = module_txn(txn, edit.module)
    if etags is not None and module.etag not in etags and not ("*" in etags and module.hosts):
        raise _conflict(module)
    done = edit_txn(txn, actor, now, [edit])
    return done, module_txn(txn, edit.module).etag if done.changed else module.etag


def _conflict(module: Module) -> EditConflict:
    return EditConflict(f"module {module.id} has been edited by somebody else: load it again")


def _rename_txn(txn: Transaction, actor: str, now: float, what: str, number: int, name: str, seen: str | None) -> bool:
    one_at_a_time_txn(txn)
    table = {"modid": "ModIDConfig", "cmdid": "CmdIDConfig"}[what]
    if not 0 <= number <= MAX_ID or len(name) > MAX_NAME:
        raise InvalidRoute(f"a name has {MAX_NAME} characters at most, and {what} is 0 to {MAX_ID}")
    before = _names(txn, table, what, [number]).get(number, "")
    if seen is not None and before != seen:
        raise EditConflict(f"{what} {number} has been renamed to {before!r} by somebody else")
    if before == name:
        return False
    txn.execute(f"DELETE FROM {table} WHERE {what} = ?", (number,))
    if name:
        txn.execute(f"INSERT INTO {table} ({what}, content) VALUES (?, ?)", (number, name))
    ids = (number, 0) if what == "modid" else (0, number)
    record_txn(txn, actor, now, [Edit(what, *ids, before, name)])
    return True


def host_counts_txn(txn: Transaction, modules: Sequence[ModuleId]) -> dict[ModuleId, int]:
    """The number of hosts of each module."""
    return {module: len(hosts) for module, hosts in hosts_of_txn(txn, modules).items()}
