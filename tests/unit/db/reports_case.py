"""A case for the stores of calls, states and the fleet."""

from lars.db.routes import RouteEdit, edit_txn
from lars.route import HostAddress, ModuleId
from tests.unit.db.memory import StoreCase

PAY, MAIL, NEWS = ModuleId(1, 1), ModuleId(1, 2), ModuleId(2, 1)
A, B = HostAddress(5, 80), HostAddress(6, 80)
NOW = 6000.0


class ReportsCase(StoreCase):
    """A database into which a test puts calls, states and routes."""

    def calls(self, minute: int, module: ModuleId, host: HostAddress, succ: int, err: int) -> None:
        self.txn.execute(
            "INSERT INTO ServerCallHistory (minute, modid, cmdid, ip, port, succ_cnt, err_cnt, approximate) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
            (minute, *module, *host, succ, err),
        )

    def state(self, module: ModuleId, host: HostAddress, caller: int, ts: float, ejected: bool) -> None:
        self.txn.execute(
            "INSERT INTO ServerCallStatus (modid, cmdid, ip, port, caller, succ_cnt, err_cnt, ts, overload) "
            "VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?)",
            (*module, *host, caller, int(ts), str(int(ejected))),
        )

    def route(self, module: ModuleId, *hosts: HostAddress) -> None:
        edit_txn(self.txn, "ann", NOW, [RouteEdit(module, add=frozenset(hosts))])
