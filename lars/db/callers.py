"""The caller store: how each caller sees each host, why and since when, and how its calls to it go.

See docs/design/reporter.md, what is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.reports import STALE_AFTER, VALID
from lars.host_condition import Condition, condition_of
from lars.route import HostAddress, ModuleId

LATE = 120
"""Seconds by which a report must be newer than what was said of a state to win over it."""

MOST = 10_000
"""Rows that are read at most, those of hosts that are not healthy first."""


@dataclass(frozen=True, slots=True)
class CallerView:
    """How one caller sees one host. Times are in Unix seconds.

    Attributes:
        module, host: what it sees.
        caller: its address.
        hostname: its name; empty if its agent does not say.
        condition: the state of the host.
        reason: why, in a few words; empty if there is none, or the agent does not say.
        since: when that state began; 0 if the agent does not say.
        latency: seconds that its calls take; None if that is not known.
        succ, err: its calls in `period` seconds, up to a minute ago.
        period: 0 if the agent does not say: then they are those of its last report.
        last_report: when it last reported the host.
    """

    module: ModuleId
    host: HostAddress
    caller: int
    hostname: str
    condition: Condition
    reason: str
    since: int
    latency: float | None
    succ: int
    err: int
    period: int
    last_report: int


class CallerStore:
    """What callers say, read only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def views(self, modid: int | None, cmdid: int | None, limit: int = MOST) -> list[CallerView]:
        """How the callers that are heard of see hosts, those that are not healthy first; modid and cmdid None for all.

        Hosts are left out that nobody has reported lately and that are not in the route.
        """
        chosen = {column: value for column, value in (("modid", modid), ("cmdid", cmdid)) if value is not None}
        condition = " AND ".join(f"s.{column} = ?" for column in chosen) or "1 = 1"
        return await self._database.read("read views of callers", views_txn, condition, list(chosen.values()), limit)

    async def views_of(self, caller: int, limit: int = MOST) -> list[CallerView]:
        """How one caller sees hosts, likewise."""
        return await self._database.read("read a caller's views", views_txn, "s.caller = ?", [caller], limit)

    async def views_of_host(self, module: ModuleId, host: HostAddress, limit: int = MOST) -> list[CallerView]:
        """How callers see one host of a module, likewise."""
        condition = "s.modid = ? AND s.cmdid = ? AND s.ip = ? AND s.port = ?"
        return await self._database.read("read views of a host", views_txn, condition, [*module, *host], limit)


def views_txn(txn: Transaction, condition: str, parameters: Sequence[int], limit: int) -> list[CallerView]:
    """The views that meet a condition on ServerCallStatus, which is `s`."""
    now = int(txn.now())
    rows = txn.all(
        "SELECT s.modid, s.cmdid, s.ip, s.port, s.caller, COALESCE(i.hostname, ''), s.overload, s.ts, s.succ_cnt, "
        "s.err_cnt, COALESCE(h.ts, 0), h.state, h.since, h.latency, h.reason, h.succ_cnt, h.err_cnt, h.counted_at, "
        "h.period FROM ServerCallStatus s JOIN CallerSeen c ON c.caller = s.caller AND c.ts >= ? "
        "LEFT JOIN AgentInfo i ON i.caller = s.caller "
        "LEFT JOIN CallerHost h ON h.modid = s.modid AND h.cmdid = s.cmdid AND h.ip = s.ip AND h.port = s.port "
        "AND h.caller = s.caller AND h.ts >= ? AND h.ts >= COALESCE(i.started_at, 0) "
        "LEFT JOIN RouteData r ON r.modid = s.modid AND r.cmdid = s.cmdid AND r.serverip = s.ip "
        f"AND r.serverport = s.port WHERE ({condition}) AND (s.ts >= ? OR (r.id IS NOT NULL AND h.ts IS NOT NULL)) "
        "ORDER BY s.overload DESC, COALESCE(h.state, 1) = 1, s.modid, s.cmdid, s.ip, s.port, s.caller LIMIT ?",
        [now - STALE_AFTER, now - VALID, *parameters, now - STALE_AFTER, limit],
    )
    return [_view(row, now) for row in rows]


def _view(row: Sequence[object], now: int) -> CallerView:
    modid, cmdid, ip, port, caller = (int(str(value)) for value in row[:5])
    hostname, ejected = str(row[5]), str(row[6]) == "1"
    reported, succ, err, said_at = (int(str(value)) for value in row[7:11])
    condition, reason, since, latency, period = Condition.EJECTED if ejected else Condition.HEALTHY, "", 0, 0, 0
    if said_at:
        said = condition_of(int(str(row[11])), condition)
        takes_none = said in (Condition.EJECTED, Condition.UNHEALTHY)
        if takes_none == ejected or reported - said_at < LATE:
            condition, reason, since, latency = said, str(row[14]), int(str(row[12])), int(str(row[13]))
        counted_at, period = int(str(row[17])), int(str(row[18]))
        succ, err = (int(str(row[15])), int(str(row[16]))) if now - counted_at < STALE_AFTER else (0, 0)
        period = period or 60
    return CallerView(
        ModuleId(modid, cmdid),
        HostAddress(ip, port),
        caller,
        hostname,
        condition,
        reason,
        since,
        latency / 1e6 if latency else None,
        succ,
        err,
        period,
        reported,
    )
