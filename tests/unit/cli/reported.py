"""What agents have reported, written as lars-reporter does."""

from collections.abc import Callable, Mapping

from lars.db.engine import Transaction
from lars.db.report_rows import Group, Rows, pack_host
from lars.db.report_writes import commit_txn
from lars.route import ModuleId, parse_ip

_boots = iter(range(1, 10**9))

M = ModuleId(1, 1)


def reported(
    caller: str, ts: int, hosts: Mapping[tuple[int, int], tuple[int, int, bool]], derived: bool = False
) -> Callable[[Transaction], object]:
    """A transaction that writes one report of module (1, 1): successes, failures and overload by host."""
    minute = (ts - ts % 60, *M)
    status = {pack_host(*host): (succ, err, ts, overloaded) for host, (succ, err, overloaded) in hosts.items()}
    calls = {minute: {pack_host(*host): [succ, err] for host, (succ, err, _) in hosts.items()}}
    group = Group(parse_ip(caller), next(_boots), 1, 1, Rows({M: status}, {} if derived else calls))
    if derived:
        group.rows.derived = calls
    return lambda txn: commit_txn(txn, [group], [group.run], ts)
