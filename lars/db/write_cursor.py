"""What makes a write take effect once though the answer to its commit is lost.

See docs/design/database.md, transactions.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any, TypeVar

from lars.db.engine import Transaction

T = TypeVar("T")


class WriteCursor:
    """A row of WriteCursor for one write at a time; each run of the write moves it.

    A run whose predecessor may be committed reads the row first. If that has moved, the run does nothing and has the
    result of the run that moved it. Should both be under way at once, they change the same row, so that at most one
    of them is committed.
    """

    def __init__(self) -> None:
        self._row = secrets.randbits(63)
        self._seq = 0
        self._results: dict[int, Any] = {}
        self.is_unknown = False
        """Whether a run was lost at its commit, so that it may be committed."""

    def begin(self) -> None:
        """Begins another write; the outcome of the one before must be known."""
        self._results.clear()

    def run(self, txn: Transaction, function: Callable[[Transaction], T]) -> T:
        """Runs the function and moves the row, unless an earlier run is committed; returns the result of that run."""
        if self.is_unknown:
            query = f"SELECT seq FROM WriteCursor WHERE id = ?{txn.engine.for_update}"
            (seq,) = txn.one(query, (self._row,)) or (0,)
            if seq in self._results:
                earlier: T = self._results[seq]
                return earlier
        result = function(txn)
        self._seq += 1
        move = txn.engine.upsert("WriteCursor", ["id"], ["seq", "ts"])
        try:
            txn.execute(move, (self._row, self._seq, int(time.time())))
        except txn.engine.errors as error:
            if not txn.engine.is_missing_table(error):
                raise
            return result  # until `lars db init` has made the table, an unknown outcome stays so
        self._results[self._seq] = result
        return result


ONE_AT_A_TIME = 0
"""The row that transactions move which must not run beside each other."""


def one_at_a_time_txn(txn: Transaction) -> None:
    """Of two transactions that begin with this, one is committed only if it has seen what the other has done.

    On one server a lock of any row does that. The nodes of a cluster do not see each other's locks: they refuse one
    of two transactions that have changed the same row.
    """
    txn.execute(txn.engine.insert_ignore("WriteCursor", ["id", "seq", "ts"]), (ONE_AT_A_TIME, 0, 0))
    txn.execute("UPDATE WriteCursor SET seq = seq + 1, ts = ? WHERE id = ?", (int(time.time()), ONE_AT_A_TIME))
