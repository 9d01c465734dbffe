"""The lease store: hosts that register themselves, stored in batches, and expire unless they renew.

See docs/design/database.md, leases.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from lars.db.audit import Edit
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.modules import Lease, leases_of_txn
from lars.db.routes import EditDone, RouteEdit, edit_txn, hosts_of_txn, locked_version_txn, version_txn
from lars.route import MAX_HOSTS, HostAddress, ModuleId

Place = tuple[ModuleId, HostAddress]
"""A host of a module."""

RULE = "self-preservation"
"""The rule of the alarms about silent hosts that are kept."""

EXPIRER = "lease"
"""The actor in the audit when silent hosts are removed."""

EDITS = 10_000
"""The newest edits of a module among which those are looked for that removed silent hosts."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The registration of a host: `ttl` is in seconds from each renewal, 0 for ever. `owner` is for the audit.

    With `only_of`, the name of a user, it takes no host over that no token of this user has registered.
    """

    ttl: int
    owner: str
    only_of: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Registrations and renewals (`put`), and hosts that their owners remove (`taken`); each place at most once.

    Of what is taken, a place in `only_of` is left alone unless a token of the user named there has registered it.
    """

    put: Mapping[Place, Registration]
    taken: Mapping[Place, str]
    only_of: Mapping[Place, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """The result of a batch: the route version, the places that are new in their route, and those over MAX_HOSTS.

    `foreign` are those left alone because another user, or nobody, has registered them.
    """

    version: int
    new: frozenset[Place]
    refused: frozenset[Place]
    foreign: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True)
class Silence:
    """A module with silent hosts.

    `alive` is how many others it has, `silent` has the longest silent first, and `left_lately` is how many have been
    removed for their silence.
    """

    module: ModuleId
    alive: int
    silent: tuple[HostAddress, ...]
    left_lately: int = 0


ExpiryPolicy = Callable[[Silence], frozenset[HostAddress]]
"""Chooses the silent hosts to remove; the others are kept, and an alarm is raised."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The result of an expiry: how many hosts were removed from each module, and how many silent ones are kept."""

    left: Mapping[ModuleId, int]
    kept: Mapping[ModuleId, int]


@dataclass(frozen=True, slots=True)
class Look:
    """The database's clock in Unix seconds, and whether there is nothing to expire and no alarm to clear."""

    now: float
    quiet: bool


class LeaseStore:
    """Leases in the database, by whose clock they end, whatever the clock of any lars-web says."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def store(self, batch: Batch) -> Stored:
        """Stores a batch with one new route version, or with none if it only renews leases."""
        if not batch.taken and all(registration.ttl for registration in batch.put.values()):
            renewed = await self._database.write_again("renew registrations", _renew_txn, batch)
            if renewed is not None:
                return renewed
        return await self._database.write_again("store registrations", _store_txn, batch)

    async def places(self) -> set[Place]:
        """All places that have a lease."""
        return await self._database.read("list leases", _places_txn)

    async def look(self, margin: float) -> Look:
        """Looks for hosts that are silent: whose lease ended more than `margin` seconds ago."""
        return await self._database.read("find silent hosts", _look_txn, margin)

    async def expire(self, now: float, margin: float, heard_for: float, period: float, policy: ExpiryPolicy) -> Expired:
        """Removes the silent hosts that `policy` chooses, and raises and clears the alarms about those it keeps.

        Args:
            now: what `look` has read, so that a step of the database's clock since then removes nobody.
            margin: seconds after the end of its lease for which a host is not silent yet: another lars-web may still
                have to store a renewal.
            heard_for: the seconds for which this lars-web has accepted renewals; a host stays unless its ttl is
                shorter.
            period: the seconds that count as lately, for the departures that all lars-web have made together; while
                hosts of a module are kept, and for a period after that, those that left before count too.
            policy: chooses.
        """
        return await self._database.write("remove silent hosts", _expire_txn, now, margin, heard_for, period, policy)

    async def shorten(self) -> None:
        """Lets no lease end later than a ttl from now, as leases do after the clock was set back."""
        await self._database.write_again("shorten leases", _shorten_txn)


def _cut(now: float, margin: float) -> int:
    return int((now - margin) * 1000)


def _places_txn(txn: Transaction) -> set[Place]:
    rows = txn.all("SELECT modid, cmdid, ip, port FROM RouteLease")
    return {(ModuleId(modid, cmdid), HostAddress(ip, port)) for modid, cmdid, ip, port in rows}


def _renew_txn(txn: Transaction, batch: Batch) -> Stored | None:
    """Renews leases without a new version; does nothing and returns None if one of the places has none."""
    modules = sorted({module for module, _host in batch.put})
    leased = {module: leases_of_txn(txn, module) for module in modules}
    hosts = hosts_of_txn(txn, modules)
    if not all(
        host in leased[module] and host in hosts[module] and not _is_foreign(leased[module].get(host), r.only_of)
        for (module, host), r in batch.put.items()
    ):
        return None
    _write_leases(txn, batch.put.items(), txn.now())
    return Stored(version_txn(txn), frozenset(), frozenset())


def _store_txn(txn: Transaction, batch: Batch) -> Stored:
    """Stores a batch. The version is locked before anything is read, because earlier reads may be outdated by then."""
    locked_version_txn(txn)
    now = txn.now()
    modules = sorted({module for module, _host in (*batch.put, *batch.taken)})
    leased = {module: leases_of_txn(txn, module) for module in modules}
    hosts = hosts_of_txn(txn, modules)
    only_of = {**{place: r.only_of for place, r in batch.put.items()}, **batch.only_of}
    foreign = {
        (module, host)
        for (module, host), user in only_of.items()
        if host in hosts[module] and _is_foreign(leased[module].get(host), user)
    }
    edits, refused = [], set()
    for module in modules:
        put = {host: r for (m, host), r in batch.put.items() if m == module and (m, host) not in foreign}
        taken = {host: owner for (m, host), owner in batch.taken.items() if m == module and (m, host) not in foreign}
        after = (hosts[module] - taken.keys()) | put.keys()
        if len(after) > max(MAX_HOSTS, len(hosts[module])):
            refused |= {(module, host) for host in put.keys() - hosts[module]}
            put = {host: r for host, r in put.items() if host in hosts[module]}
        owners = {r.owner for host, r in put.items() if host not in hosts[module]}
        who = ", ".join(sorted(owners | {taken[host] for host in taken.keys() & hosts[module]}))
        edits.append(RouteEdit(module, frozenset(put), frozenset(taken), actor=who))
    done: EditDone = edit_txn(txn, "api", now, edits)
    kept = [(place, r) for place, r in batch.put.items() if place not in refused | foreign]
    _write_leases(txn, [(place, r) for place, r in kept if r.ttl], now)
    for (module, host), r in kept:
        if not r.ttl and host in leased[module]:
            txn.execute(
                "DELETE FROM RouteLease WHERE modid = ? AND cmdid = ? AND ip = ? AND port = ?", (*module, *host)
            )
    new = {place for place in batch.put if place[1] not in hosts[place[0]]}
    return Stored(done.version, frozenset(new - refused), frozenset(refused), frozenset(foreign))


def _is_foreign(lease: Lease | None, only_of: str) -> bool:
    """Whether a host of a route is out of bounds for who may touch only those that tokens of a user registered."""
    return bool(only_of) and (lease is None or not lease.owner.startswith(f"api:{only_of}/"))


def _write_leases(txn: Transaction, registrations: Iterable[tuple[Place, Registration]], now: float) -> None:
    txn.execute_many(
        txn.engine.upsert("RouteLease", ["modid", "cmdid", "ip", "port"], ["ttl", "expires_at", "owner"]),
        sorted(
            (*module, *host, r.ttl, int((now + r.ttl) * 1000), r.owner[:255]) for (module, host), r in registrations
        ),
    )


def _look_txn(txn: Transaction, margin: float) -> Look:
    now = txn.now()
    if txn.one("SELECT modid FROM RouteLease WHERE expires_at < ? LIMIT 1", (_cut(now, margin),)) is not None:
        return Look(now, False)
    return Look(now, txn.one("SELECT id FROM Alarm WHERE rule = ? AND cleared_at = 0 LIMIT 1", (RULE,)) is None)


def _shorten_txn(txn: Transaction) -> None:
    now = int(txn.now() * 1000)
    txn.execute("UPDATE RouteLease SET expires_at = ? + ttl * 1000 WHERE expires_at > ? + ttl * 1000", (now, now))


def _left_lately_txn(txn: Transaction, module: ModuleId, now: float, period: float) -> int:
    """How many hosts silence has removed from a module lately, whichever lars-web has done it: see `expire`."""
    kept = txn.one(
        "SELECT MIN(raised_at) FROM Alarm WHERE rule = ? AND modid = ? AND cmdid = ? "
        "AND (cleared_at = 0 OR cleared_at >= ?)",
        (RULE, *module, int(now - period)),
    )
    since = now if kept is None or kept[0] is None else min(now, kept[0])
    oldest = txn.one(
        f"SELECT id FROM RouteAudit WHERE modid = ? AND cmdid = ? ORDER BY id DESC LIMIT 1 OFFSET {EDITS}", module
    )
    rows = txn.all(
        "SELECT hosts_before, hosts_after FROM RouteAudit "
        "WHERE modid = ? AND cmdid = ? AND id > ? AND ts >= ? AND actor = ? AND what = 'hosts'",
        (*module, oldest[0] if oldest else 0, int(since - period), EXPIRER),
    )
    edits = [Edit("hosts", *module, before, after).lines for before, after in rows]
    return sum(len(before) - len(after) for before, after in edits)


def _expire_txn(
    txn: Transaction, now: float, margin: float, heard_for: float, period: float, policy: ExpiryPolicy
) -> Expired:
    locked_version_txn(txn)
    cut = _cut(now, margin)
    rows = txn.all(
        "SELECT modid, cmdid, ip, port, ttl FROM RouteLease WHERE expires_at < ? "
        f"ORDER BY expires_at, modid, cmdid, ip, port{txn.engine.for_update}",
        (cut,),
    )
    silent: dict[ModuleId, list[HostAddress]] = defaultdict(list)
    unheard: set[ModuleId] = set()
    for modid, cmdid, ip, port, ttl in rows:
        if ttl < heard_for:
            silent[ModuleId(modid, cmdid)].append(HostAddress(ip, port))
        else:
            unheard.add(ModuleId(modid, cmdid))
    hosts = hosts_of_txn(txn, list(silent))
    edits, kept = [], {}
    for module, some in silent.items():
        there = tuple(host for host in some if host in hosts[module])
        leaving: frozenset[HostAddress] = frozenset()
        if there:
            left_lately = _left_lately_txn(txn, module, now, period)
            leaving = policy(Silence(module, len(hosts[module]) - len(there), there, left_lately))
        edits.append(RouteEdit(module, remove=leaving))
        if len(there) > len(leaving):
            kept[module] = len(there) - len(leaving)
        gone = [(*module, *host) for host in some if host not in hosts[module]]  # removed by SQL
        txn.execute_many("DELETE FROM RouteLease WHERE modid = ? AND cmdid = ? AND ip = ? AND port = ?", gone)
    done = edit_txn(txn, EXPIRER, now, edits)
    _update_alarms(txn, now, kept, unheard)
    return Expired({change.module: len(change.removed) for change in done.changed}, kept)


def _update_alarms(txn: Transaction, now: float, kept: Mapping[ModuleId, int], unheard: Collection[ModuleId]) -> None:
    """Raises an alarm for each module in `kept`, and clears those of all others except the unheard."""
    rows = txn.all("SELECT id, modid, cmdid FROM Alarm WHERE rule = ? AND cleared_at = 0", (RULE,))
    active = {ModuleId(modid, cmdid): alarm for alarm, modid, cmdid in rows}
    for module, count in kept.items():
        if module not in active:
            text = f"{count} hosts of module {module} no longer renew; they are kept, since most of it would be gone"
            if count == 1:
                text = f"1 host of module {module} no longer renews; it is kept, since most of it would be gone"
            txn.execute(
                "INSERT INTO Alarm (rule, what, modid, cmdid, ip, port, caller, text, raised_at, cleared_at, webhook, "
                "raise_told, clear_told) VALUES (?, 'hosts_kept', ?, ?, 0, 0, 0, ?, ?, 0, '', 0, 0)",
                (RULE, *module, text, int(now)),
            )
    for module in active.keys() - kept.keys() - set(unheard):
        txn.execute("UPDATE Alarm SET cleared_at = ? WHERE id = ?", (int(now), active[module]))
