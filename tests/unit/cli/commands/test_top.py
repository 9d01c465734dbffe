"""The rates and the table of `lars top`."""

from io import StringIO

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.host import HostExplanation, HostState
from lars.cli.commands.top import WIDE, WIDEST, HostRate, host_table, rates
from lars.client.address import AgentAddress
from lars.client.agent_inspect import HostSnapshot
from lars.host_condition import Condition
from lars.route import ModuleId, parse_host

M = ModuleId(1, 1)
A, B, C = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3))


def host(address: tuple[int, int], succ: int, err: int, ejected: bool = False) -> HostSnapshot:
    return HostSnapshot(M, parse_host(str(address)), ejected, succ, err)


class RateTests(SynchronousTestCase):
    def rates_of(self, old: HostSnapshot, new: HostSnapshot, seconds: float) -> tuple[float | None, float | None]:
        (rate,) = rates({(old.module, old.address): old}, [new], seconds)
        return rate.calls, rate.failed

    def test_rate_is_the_difference_of_the_counts_by_time(self) -> None:
        self.assertEqual(self.rates_of(host(A, 10, 1), host(A, 26, 5), 2.0), (10.0, 2.0))

    def test_counts_that_started_over_are_no_negative_rate(self) -> None:
        self.assertEqual(self.rates_of(host(A, 2**32 - 1, 0), host(A, 9, 0), 1.0), (10.0, 0.0))

    def test_without_an_earlier_snapshot_there_is_no_rate(self) -> None:
        self.assertEqual(self.rates_of(host(B, 1, 1), host(A, 2, 1), 1.0), (None, None))
        self.assertEqual(self.rates_of(host(A, 1, 1), host(A, 2, 1), 0.0), (None, None))

    def test_ejected_hosts_come_first_and_then_the_busiest(self) -> None:
        before = {(M, address): host(address, 0, 0) for address in (A, B, C)}
        found = rates(before, [host(A, 1, 0), host(B, 5, 0), host(C, 0, 0, ejected=True)], 1.0)
        self.assertEqual([rate.host.address for rate in found], [C, B, A])


class TableTests(SynchronousTestCase):
    def printed(self, found: list[HostRate], height: int = 24, width: int = 80) -> str:
        console = Console(file=StringIO(), width=width, record=True)
        console.print(host_table(found, AgentAddress("127.0.0.1", 8888), height, width))
        return console.export_text()

    def test_each_host_has_its_state_and_rates(self) -> None:
        text = self.printed([HostRate(host(A, 9, 3, ejected=True), 12.0, 3.0), HostRate(host(B, 5, 0), None, None)])
        self.assertEqual(
            text.splitlines()[0].rstrip(),
            "agent 127.0.0.1:8888   1 module   2 hosts, 1 ejected   12 calls/s, 3 failed",
        )
        rows = [line.split() for line in text.splitlines()[-2:]]
        self.assertEqual(rows[0], ["(1,", "1)", "10.0.0.1:80", "ejected", "12.0", "3.0", "9", "3"])
        self.assertEqual(rows[1], ["(1,", "1)", "10.0.0.2:80", "healthy", "-", "-", "5", "0"])

    def test_wide_terminal_shows_what_the_agent_knows_and_would_do(self) -> None:
        known = HostExplanation(A, HostState.EJECTED, 0.0, 9.2, 3.0, 2, 4, 0.0123, 5.04, "failed", Condition.EJECTED)
        rates = [HostRate(host(A, 9, 3, ejected=True), 12.0, 3.0, known), HostRate(host(B, 5, 0), None, None)]
        text = self.printed(rates, width=WIDE)
        head, first, second = text.splitlines()[-3:]
        self.assertEqual(
            " ".join(head.split()),
            "MODULE HOST STATE CALLS/S FAILED/S SHARE FAILED IN A ROW IN FLIGHT LATENCY NEXT PROBE",
        )
        self.assertEqual(" ".join(first.split()), "(1, 1) 10.0.0.1:80 ejected 12.0 3.0 0.0% 3 of 9 2 4 12.3 ms 5.0 s")
        self.assertEqual(" ".join(second.split()), "(1, 1) 10.0.0.2:80 healthy - - - - - - - -")

    def test_longest_row_fits_a_wide_terminal(self) -> None:
        longest = parse_host("255.255.255.255:65535")
        known = HostExplanation(
            longest, HostState.EJECTED, 1.0, 9999, 9999, 999, 9999, 9.9999, 599.9, "", Condition.EJECTED
        )
        text = self.printed([HostRate(host(longest, 0, 0, ejected=True), 9999.9, 999.9, known)], width=WIDE)
        self.assertNotIn("…", text)
        self.assertIn("100.0% 9999 of 9999 999 9999 9999.9 ms 599.9 s", " ".join(text.split()))

    def test_widest_terminal_shows_why(self) -> None:
        why = "unhealthy: http 503"
        known = HostExplanation(A, HostState.EJECTED, 0.0, 9.2, 3.0, 2, 4, 0.0123, None, why, Condition.UNHEALTHY)
        rates = [HostRate(host(A, 9, 3, ejected=True), 12.0, 3.0, known), HostRate(host(B, 5, 0), None, None)]
        _head, first, second = self.printed(rates, width=WIDEST).splitlines()[-3:]
        self.assertTrue(first.rstrip().endswith(why))
        self.assertIn(" unhealthy ", first)
        self.assertNotIn(why, second)
        self.assertNotIn(why, self.printed(rates, width=WIDE))

    def test_80_columns_cut_no_host_off_and_break_no_line(self) -> None:
        shortest, longest = (
            host(A, 9, 3),
            HostSnapshot(
                ModuleId(2**31 - 1, 2**31 - 1), parse_host("255.255.255.255:65535"), False, 2**32 - 1, 2**32 - 1
            ),
        )
        for hosts, has_counts in (([shortest], True), ([shortest, longest], False)):
            text = self.printed([HostRate(each, 99999.9, 9999.9) for each in hosts])
            title, names, *rows = text.splitlines()
            self.assertTrue(title.startswith("agent 127.0.0.1:8888   "))
            self.assertEqual("SUCC" in names, has_counts)
            self.assertEqual(len(rows), len(hosts))
            for row, each in zip(rows, hosts, strict=True):
                self.assertIn(f"{each.address} ", row)
                self.assertIn(" 9,999.9", row)

    def test_hosts_beyond_the_height_are_counted(self) -> None:
        found = [HostRate(host(A, 0, 0), None, None)] * 9
        self.assertIn("and 4 more", self.printed(found, height=9))

    def test_agent_without_modules_is_explained(self) -> None:
        self.assertIn("this agent has no modules yet", self.printed([]))
