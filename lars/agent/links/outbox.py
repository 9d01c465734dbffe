"""Reports to lars-reporter: merged while unsent, frozen once sent, kept until acknowledged.

See docs/design/agent.md, reports.
"""

from collections import OrderedDict
from collections.abc import Mapping

from lars.route import HostAddress, ModuleId
from lars.wire.heartbeats import PEER
from lars.wire.lars_pb2 import HostCallResult, ReportStatusRequest

Results = Mapping[HostAddress, tuple[int, int, bool]]
"""Successes, failures and ejection by host."""

MAX_IN_FLIGHT = 64
"""Reports sent and not acknowledged, at most."""

MAX_RESULTS = 2_000
"""Results in one report, at most; a report of more is split, so that each part fits a frame."""

_MAX_COUNT = 2**32 - 1


class Outbox:
    """The reports of one run of the agent.

    `boot` says which run; seq counts its reports from 1. The sum of what was added is the sum of what is sent, each
    report under one seq however often it is sent.
    """

    def __init__(self, boot: int) -> None:
        self.boot = boot
        self._seq = 0
        self._unsent: OrderedDict[ModuleId, dict[HostAddress, tuple[int, int, bool]]] = OrderedDict()
        self._in_flight: OrderedDict[int, ReportStatusRequest] = OrderedDict()
        self._aside: OrderedDict[int, ReportStatusRequest] = OrderedDict()

    @property
    def waiting(self) -> int:
        """Modules with unsent counts, and reports sent and not acknowledged."""
        return len(self._unsent) + len(self._in_flight) + len(self._aside)

    def has_unsent(self, module: ModuleId) -> bool:
        """Whether counts of this module wait to be sent."""
        return module in self._unsent

    def add(self, module: ModuleId, results: Results) -> None:
        """Adds results to those that are unsent; the latest state of a host holds."""
        have = self._unsent.setdefault(module, {})
        for address, (succ, err, overload) in results.items():
            old_succ, old_err, _ = have.get(address, (0, 0, False))
            have[address] = (min(old_succ + succ, _MAX_COUNT), min(old_err + err, _MAX_COUNT), overload)

    def freeze(self, caller: int, ts: int, period_ms: int) -> list[ReportStatusRequest]:
        """Makes reports of unsent results, as many as may be in flight, and returns them to be sent.

        Args:
            caller: this machine's IPv4 address as a number.
            ts: Unix seconds.
            period_ms: milliseconds in which the results happened.
        """
        frozen = []
        while self._unsent and len(self._in_flight) < MAX_IN_FLIGHT:
            module, results = self._unsent.popitem(last=False)
            items = list(results.items())
            if len(items) > MAX_RESULTS:
                self._unsent[module] = dict(items[MAX_RESULTS:])
                self._unsent.move_to_end(module, last=False)
            frozen.append(self._freeze(module, items[:MAX_RESULTS], caller, ts, period_ms))
        return frozen

    def alive(self, caller: int, ts: int, period_ms: int) -> list[ReportStatusRequest]:
        """Makes a report of module (0, 0) without results: the agent is alive; none if too many are in flight."""
        if len(self._in_flight) >= MAX_IN_FLIGHT:
            return []
        return [self._freeze(ModuleId(0, 0), [], caller, ts, period_ms)]

    def _freeze(
        self,
        module: ModuleId,
        results: list[tuple[HostAddress, tuple[int, int, bool]]],
        caller: int,
        ts: int,
        period_ms: int,
    ) -> ReportStatusRequest:
        self._seq += 1
        report = ReportStatusRequest(
            modid=module.modid,
            cmdid=module.cmdid,
            caller=caller,
            results=[
                HostCallResult(ip=address.ip, port=address.port, succ=succ, err=err, overload=overload)
                for address, (succ, err, overload) in results
            ],
            ts=ts,
            period_ms=period_ms,
            boot=self.boot,
            seq=self._seq,
            peer=PEER,
        )
        self._in_flight[self._seq] = report
        return report

    def unacknowledged(self) -> list[ReportStatusRequest]:
        """Reports that were sent and not acknowledged, in order; a new connection sends them again."""
        return list(self._in_flight.values())

    def acknowledge(self, seq: int) -> None:
        """Forgets the reports up to seq, which are committed."""
        while self._in_flight and next(iter(self._in_flight)) <= seq:
            self._in_flight.popitem(last=False)

    def set_aside(self) -> int:
        """Keeps what is in flight for a peer that acknowledges, while another gets what follows; returns how many."""
        self._aside.update(self._in_flight)
        self._in_flight.clear()
        return len(self._aside)

    def take_back(self) -> None:
        """Has what was set aside in flight again, before everything else."""
        self._aside.update(self._in_flight)
        self._in_flight, self._aside = self._aside, OrderedDict()

    def forget_sent(self) -> None:
        """Forgets what was sent to a peer that never acknowledges."""
        self._in_flight.clear()
