"""The agent store: which agents report, and the dismissal of those that are retired.

See docs/design/reporter.md, retired agents.
"""

from dataclasses import dataclass

from lars.db.audit import Edit, record_txn
from lars.db.database import Database
from lars.db.engine import Row, Transaction
from lars.db.report_rows import AgentFacts
from lars.db.reports import STALE_AFTER
from lars.db.seen_writes import forget_txn
from lars.errors import LarsError
from lars.route import format_ip


class AgentUnknown(LarsError):
    """No agent of this address is known."""


class AgentReports(LarsError):
    """An agent that is to be dismissed reports; the text says what to do."""


NOTHING_SAID = AgentFacts(0, "", "", "", "", "", "")
"""The facts of an agent that says nothing of itself."""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent.

    Attributes:
        ip: the caller's address.
        seen_at: when it last reported, in Unix seconds.
        skew: by how many seconds its clock is ahead.
        facts: what it says of itself; NOTHING_SAID from a C++ agent or an older one.
    """

    ip: int
    seen_at: int
    skew: int = 0
    facts: AgentFacts = NOTHING_SAID


class AgentStore:
    """Agents in the database. Times are in Unix seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def agents(self, limit: int) -> list[Agent]:
        """Agents, the longest silent first."""
        return await self._database.read("list agents", agents_txn, limit)

    async def agent(self, ip: int) -> Agent:
        """One agent; raises AgentUnknown."""
        return await self._database.read("read an agent", agent_txn, ip)

    async def dismiss(self, actor: str, ip: int) -> None:
        """Forgets an agent that is retired, with its states of hosts, and clears the alarms about its silence.

        Its calls stay in history. Raises AgentUnknown, and AgentReports if it has reported lately.
        """
        await self._database.write("dismiss an agent", dismiss_txn, actor, ip)


_SELECT = (
    "SELECT c.caller, c.ts, c.skew, i.started_at, i.hostname, i.version, i.zone, i.dns, i.reporter, i.settings "
    "FROM CallerSeen c LEFT JOIN AgentInfo i ON i.caller = c.caller"
)


def agents_txn(txn: Transaction, limit: int) -> list[Agent]:
    """See AgentStore.agents."""
    rows = txn.all(f"{_SELECT} ORDER BY c.ts, c.caller LIMIT ?", (limit,))
    return [_agent(row) for row in rows]


def agent_txn(txn: Transaction, ip: int) -> Agent:
    """See AgentStore.agent."""
    row = txn.one(f"{_SELECT} WHERE c.caller = ?", (ip,))
    if row is None:
        raise AgentUnknown(f"no agent {format_ip(ip)} is known")
    return _agent(row)


def _agent(row: Row) -> Agent:
    ip, seen_at, skew, started_at, *texts = row
    facts = AgentFacts(int(started_at), *map(str, texts)) if started_at is not None else NOTHING_SAID
    return Agent(int(ip), int(seen_at), int(skew), facts)


def dismiss_txn(txn: Transaction, actor: str, ip: int) -> None:
    """See AgentStore.dismiss."""
    now = int(txn.now())
    row = txn.one(f"SELECT ts FROM CallerSeen WHERE caller = ?{txn.engine.for_update}", (ip,))
    if row is None:
        raise AgentUnknown(f"no agent {format_ip(ip)} is known")
    if now - row[0] <= STALE_AFTER:
        raise AgentReports(
            f"agent {format_ip(ip)} reported {max(0, now - row[0])} s ago: stop it first, and wait {STALE_AFTER} s"
        )
    # The states have no index by caller: a DELETE by it would lock every row that reporters write.
    states = txn.all("SELECT modid, cmdid, ip, port FROM ServerCallStatus WHERE caller = ?", (ip,))
    txn.execute_many(
        "DELETE FROM ServerCallStatus WHERE modid = ? AND cmdid = ? AND ip = ? AND port = ? AND caller = ?",
        [(*state, ip) for state in states],
    )
    for modid, cmdid in sorted(
        {
            tuple(row)
            for table in ("CallerRoute", "CallerHost")
            for row in txn.all(f"SELECT DISTINCT modid, cmdid FROM {table} WHERE caller = ?", (ip,))
        }
    ):
        forget_txn(txn, (modid, cmdid, ip))
    for table in ("AgentInfo", "CallerSeen"):
        txn.execute(f"DELETE FROM {table} WHERE caller = ?", (ip,))
    txn.execute(
        "UPDATE Alarm SET cleared_at = ?, clear_reason = ? WHERE caller = ? AND cleared_at = 0",
        (now, f"dismissed by {actor}"[:255], ip),
    )
    record_txn(txn, actor, now, [Edit("agent", 0, 0, format_ip(ip), "")])
