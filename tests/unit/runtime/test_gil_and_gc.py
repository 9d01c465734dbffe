"""The interpreter's settings are those of the module, and objects can be frozen."""

import gc
import sys

from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.gil_and_gc import SWITCH_INTERVAL, THRESHOLDS, freeze_loaded_objects, tune_gil_and_gc


class TuningTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        self.addCleanup(gc.set_threshold, *gc.get_threshold())

    def test_switch_interval_and_thresholds_are_set(self) -> None:
        tune_gil_and_gc()
        self.assertAlmostEqual(sys.getswitchinterval(), SWITCH_INTERVAL)
        self.assertEqual(gc.get_threshold(), THRESHOLDS)

    def test_loaded_objects_are_exempt_from_collection(self) -> None:
        before = gc.get_freeze_count()
        self.addCleanup(gc.unfreeze)
        freeze_loaded_objects()
        self.assertGreater(gc.get_freeze_count(), before)
