"""The options of `python -m bench balance`, and what it prints."""

import io
import json
from argparse import ArgumentParser, Namespace
from contextlib import redirect_stderr, redirect_stdout

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.command import DESCRIPTION, add_options, run
from bench.balance.policies.table import NAMES
from bench.balance.real.clients import CLIENTS
from bench.balance.real.events import EVENTS
from bench.balance.scenarios import SCENARIOS

SMALL = ["--hosts", "3", "--agents", "2", "--workers", "1", "--load", "0.2", "--jobs", "1"]


class CommandTests(SynchronousTestCase):
    def options(self, *arguments: str) -> Namespace:
        parser = ArgumentParser()
        add_options(parser)
        return parser.parse_args(arguments)

    def refused(self, *arguments: str) -> str:
        """What a command line that is wrong prints; its status must be 2."""
        printed = io.StringIO()
        with redirect_stderr(printed), self.assertRaises(SystemExit) as ended:
            self.options(*arguments)
        self.assertEqual(ended.exception.code, 2)
        return printed.getvalue()

    def printed(self, *arguments: str) -> str:
        printed = io.StringIO()
        with redirect_stdout(printed):
            self.assertEqual(run(self.options(*SMALL, *arguments)), 0)
        return printed.getvalue()

    def test_several_values_have_commas_between(self) -> None:
        options = self.options(
            "--policy", "adaptive,finagle", "--hosts", "5,20", "--load", "0.5,0.8", "--seeds", "7,8,9"
        )
        self.assertEqual(options.policy, ["adaptive", "finagle"])
        self.assertEqual((options.hosts, options.load, options.seeds), ([5, 20], [0.5, 0.8], [7, 8, 9]))

    def test_all_scenarios_are_simulated_unless_some_are_named(self) -> None:
        self.assertEqual(self.options().scenario, list(SCENARIOS))
        self.assertEqual(self.options("--scenario", "dead,hang").scenario, ["dead", "hang"])

    def test_wrong_values_are_refused_with_what_there_is(self) -> None:
        self.assertIn("no policy is called best; there are adaptive, round_robin, ", self.refused("--policy", "best"))
        self.assertIn("no scenario is called fire; there are steady, dead, ", self.refused("--scenario", "dead,fire"))
        self.assertIn("0 is not a number from 1 on", self.refused("--hosts", "0"))
        self.assertIn("x is not a number from 0 on", self.refused("--seeds", "1,x"))
        self.assertIn("many is not a share of the hosts' capacity", self.refused("--load", "many"))
        self.assertIn("invalid choice: 'fast'", self.refused("--service", "fast"))

    def test_a_real_run_takes_clients_events_and_seconds(self) -> None:
        options = self.options("--real", "--client", "cpp,envoy", "--event", "slow", "--fault", "3", "--after", "12")
        self.assertEqual((options.real, options.client, options.event), (True, ["cpp", "envoy"], ["slow"]))
        self.assertEqual((options.warm, options.fault, options.after, options.callers), (10, 3, 12, 10))
        self.assertFalse(self.options().real)
        self.assertIn("no client is called c; there are asking, cached, ", self.refused("--client", "c"))
        self.assertIn("no event is called fire; there are killed, ", self.refused("--event", "fire"))

    def test_every_policy_scenario_client_and_event_is_described(self) -> None:
        for name in (*NAMES, *SCENARIOS, *CLIENTS, *EVENTS):
            self.assertIn(f" {name}", DESCRIPTION)

    def test_json_is_one_list_with_an_object_for_each_policy_scenario_and_size(self) -> None:
        names = ["--policy", "classic,random", "--scenario", "steady,herd", "--agents", "1,2"]
        rows = json.loads(self.printed(*names, "--seeds", "1,2", "--service", "lognormal", "--without-cost", "--json"))
        self.assertEqual(
            [(row["scenario"], row["agents"], row["policy"]) for row in rows],
            [(s, agents, p) for s in ("steady", "herd") for agents in (1, 2) for p in ("classic", "random")],
        )
        asked = {"fail%", "refused%", "lost%", "lost_late%", "p50", "p99", "p99.9", "max/mean", "aside_s", "return_s"}
        for row in rows:
            self.assertEqual(asked - set(row), set())
            self.assertEqual((row["service"], row["costs"], row["seeds"]), ("lognormal", False, [1, 2]))

    def test_table_has_a_block_for_each_scenario(self) -> None:
        blocks = self.printed("--policy", "random", "--scenario", "steady,herd").strip().split("\n\n")
        self.assertEqual([block.partition(":")[0] for block in blocks], ["steady", "herd"])
