"""The alerting rules that come with Lars name metrics that there are, and headings of the documents."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import lars
from lars.shipped import shipped

ROOT = Path(lars.__file__).parents[1]
RULES = shipped("conf", "prometheus-rules.yml").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lars").rglob("*.py"))
DOCUMENTS = "\n".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("operations.md", "security.md"))


class PrometheusRulesTests(SynchronousTestCase):
    def test_each_metric_is_one_of_a_service(self) -> None:
        names = set(re.findall(r"\blars_\w+", RULES))
        self.assertGreater(len(names), 9)
        missing = [name for name in names if f'"{name.removesuffix("_total")}"' not in SOURCES]
        missing = [name for name in missing if f'"{name}"' not in SOURCES]
        self.assertEqual(missing, [])

    def test_each_alert_names_a_heading_with_what_to_do(self) -> None:
        headings = re.findall(r"^#+ (.+)$", DOCUMENTS, re.MULTILINE)
        named = re.findall(r'what: "(.+)"', RULES)
        self.assertEqual(len(named), RULES.count("- alert: "))
        self.assertEqual([name for name in named if name not in headings], [])
