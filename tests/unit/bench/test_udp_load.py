"""What udpload printed, as one round of load."""

import json

from twisted.trial.unittest import SynchronousTestCase

from bench.errors import BenchError
from bench.load.udp_load import Load, UdpLoad

GOOD = {
    "cycles_per_s": 2_000,
    "p50_us": 40,
    "p99_us": 90,
    "ok": 10_000,
    "overload": 0,
    "noexist": 0,
    "lost": 0,
    "bad": 0,
}


class UdpLoadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.load = UdpLoad("/bin/udpload", 8888, 1)

    def test_cpu_time_is_spread_over_the_cycles_and_cycles_add_up(self) -> None:
        self.assertEqual(self.load.load_from(json.dumps(GOOD), 0.5), Load(10_000, 2_000, 40, 90, 50.0))
        self.load.load_from(json.dumps(GOOD), 0.5)
        self.assertEqual(self.load.cycles, 20_000)

    def test_up_to_one_request_in_a_thousand_may_be_lost(self) -> None:
        self.load.load_from(json.dumps({**GOOD, "lost": 10}), 0.5)

    def test_round_with_losses_or_other_answers_does_not_count(self) -> None:
        for fault in ({"ok": 0}, {"lost": 11}, {"bad": 1}, {"noexist": 1}, {"overload": 1}):
            with self.assertRaises(BenchError):
                self.load.load_from(json.dumps(GOOD | fault), 0.5)

    def test_median_is_of_each_number_and_cycles_are_summed(self) -> None:
        rounds = [Load(1, 10, 3, 9, 5), Load(2, 30, 1, 8, 6), Load(3, 20, 2, 7, 4)]
        self.assertEqual(Load.median(rounds), Load(6, 20, 2, 8, 5))

    def test_command_names_threads_seconds_and_port(self) -> None:
        self.assertEqual(self.load.command(0.5), ["/bin/udpload", "10", "0.5", "8888"])
