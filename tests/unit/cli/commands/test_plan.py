"""`lars plan`."""

from twisted.trial.unittest import SynchronousTestCase

from tests.unit.cli.command import run_here

MILLION = ("--agents", "1000000", "--modules", "5000", "--hosts", "200000", "--changes-per-minute", "600")


class PlanTests(SynchronousTestCase):
    def test_table_has_each_service_and_says_what_is_full_first(self) -> None:
        ended = run_here("plan", *MILLION)
        self.assertEqual((ended.status, ended.err), (0, ""))
        lines = ended.out.splitlines()
        self.assertEqual([line.split()[0] for line in lines[:4]], ["SERVICE", "lars-dns", "lars-reporter", "database"])
        self.assertTrue(lines[4].startswith("40,000 pushes/s, 400,000 reports/s with 2,000,000 results/s"), lines[4])
        self.assertTrue(lines[7].startswith("full first: "), lines[7])

    def test_json_has_the_same_numbers(self) -> None:
        printed = run_here("plan", *MILLION, "--json").json
        self.assertEqual([need["service"] for need in printed["needs"]], ["lars-dns", "lars-reporter", "database"])
        self.assertEqual(printed["pushes"], 40_000)
        self.assertGreater(printed["bottleneck"]["share"], 1)

    def test_longer_interval_halves_the_reports(self) -> None:
        reports = [run_here("plan", *MILLION, "--report-interval", t, "--json").json["reports"] for t in ("5", "10")]
        self.assertEqual(reports[0], 2 * reports[1])

    def test_missing_or_impossible_numbers_are_wrong_usage(self) -> None:
        for given, problem in (
            ([], "Missing option '--agents'"),
            ([*MILLION, "--agents", "0"], "Invalid value for '--agents'"),
            ([*MILLION, "--report-interval", "0"], "Invalid value for '--report-interval'"),
        ):
            ended = run_here("plan", *given)
            self.assertEqual((ended.status, ended.out), (2, ""))
            self.assertIn(problem, ended.err)
