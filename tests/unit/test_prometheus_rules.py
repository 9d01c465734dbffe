"""The alerting rules that come with Lars name metrics that there are."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import lars

ROOT = Path(lars.__file__).parents[1]
RULES = (ROOT / "deploy" / "prometheus" / "lars-rules.yml").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lars").rglob("*.py"))


class PrometheusRulesTests(SynchronousTestCase):
    def test_each_metric_is_one_of_a_service(self) -> None:
        names = set(re.findall(r"(?<!:)\blars_\w+", RULES))
        self.assertGreater(len(names), 9)
        names = {name.removesuffix("_bucket") for name in names}  # of a histogram
        missing = [name for name in names if f'"{name.removesuffix("_total")}"' not in SOURCES]
        missing = [name for name in missing if f'"{name}"' not in SOURCES]
        self.assertEqual(missing, [])
