"""The figures of a load, and its modules."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.load import LoadResult, modules_of
from lars.route import ModuleId


class LoadResultTests(SynchronousTestCase):
    def test_rate_is_cycles_a_second_and_0_without_time(self) -> None:
        self.assertEqual(LoadResult(seconds=4.0, cycles=10).rate, 2.5)
        self.assertEqual(LoadResult().rate, 0.0)

    def test_percentile_is_in_microseconds_and_0_without_latencies(self) -> None:
        result = LoadResult(latencies=[1e-6, 2e-6, 3e-6, 4e-6])
        for share, expected in ((0.0, 1.0), (0.5, 3.0), (0.99, 4.0), (1.0, 4.0)):
            self.assertAlmostEqual(result.percentile(share), expected)
        self.assertEqual(LoadResult().percentile(0.5), 0.0)


class ModuleTests(SynchronousTestCase):
    def test_each_thread_has_the_module_of_the_cpp_tool(self) -> None:
        self.assertEqual(modules_of(3), [ModuleId(1, 1), ModuleId(2, 1), ModuleId(3, 1)])
