"""Writes what agents say of hosts and of themselves (docs/design/reporter.md, views)."""

from collections.abc import Sequence

from lars.db.engine import Transaction
from lars.db.report_rows import HostSeen, Seen

HOST_KEY = ("modid", "cmdid", "ip", "port", "caller")
STATE = ("ts", "state", "since", "latency", "reason")
CALLS = ("succ_cnt", "err_cnt", "counted_at", "period")
FACTS = ("ts", "started_at", "hostname", "version", "zone", "dns", "reporter", "settings")


def write_seen_txn(txn: Transaction, seen: Sequence[Seen]) -> dict[str, int]:
    """Writes it all in the order of the keys; it may be written again. Returns the number of rows by table.

    All rows are of one caller, so that two writers do not wait for each other unless one agent reports to both.
    """
    engine = txn.engine
    with_calls, without = _host_rows(seen)
    txn.execute_many(engine.upsert("CallerHost", HOST_KEY, [*STATE, *CALLS]), with_calls)
    txn.execute_many(engine.upsert("CallerHost", HOST_KEY, STATE), without)
    versions = {(*module, one.caller): (version, one.at) for one in seen for module, version in one.versions.items()}
    held = sorted((*key, version, at) for key, (version, at) in versions.items() if version is not None)
    txn.execute_numbers(engine.upsert("CallerRoute", ["modid", "cmdid", "caller"], ["version", "ts"]), held)
    forgotten = sorted(key for key, (version, _at) in versions.items() if version is None)
    for key in forgotten:
        forget_txn(txn, key)
    facts = {one.caller: (one.at, *one.facts) for one in seen if one.facts is not None}
    txn.execute_many(engine.upsert("AgentInfo", ["caller"], FACTS), [(key, *facts[key]) for key in sorted(facts)])
    return {"CallerHost": len(with_calls) + len(without), "CallerRoute": len(held), "AgentInfo": len(facts)}


def _host_rows(seen: Sequence[Seen]) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """The rows of CallerHost in the order of its key: those with calls, and those without."""
    found: dict[tuple[int, ...], tuple[int, HostSeen]] = {}
    for one in seen:
        for module, hosts in one.hosts.items():
            for packed, host in hosts.items():
                found[(*module, packed >> 16, packed & 0xFFFF, one.caller)] = one.at, host
    with_calls: list[tuple[object, ...]] = []
    without: list[tuple[object, ...]] = []
    for key in sorted(found):
        at, (state, reason, since, latency, calls) = found[key]
        row = (*key, at, state, since, latency, reason)
        if calls is None:
            without.append(row)
        else:
            with_calls.append((*row, *calls))
    return with_calls, without


def forget_txn(txn: Transaction, key: Sequence[int]) -> None:
    """Deletes what a caller said of one module, row by row, since others write; `key` is modid, cmdid, caller."""
    txn.execute("DELETE FROM CallerRoute WHERE modid = ? AND cmdid = ? AND caller = ?", key)
    hosts = txn.all("SELECT ip, port FROM CallerHost WHERE modid = ? AND cmdid = ? AND caller = ?", key)
    modid, cmdid, caller = key
    delete = "DELETE FROM CallerHost WHERE modid = ? AND cmdid = ? AND ip = ? AND port = ? AND caller = ?"
    txn.execute_many(delete, [(modid, cmdid, ip, port, caller) for ip, port in hosts])
