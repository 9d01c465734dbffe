"""Alarm rules in a conf file, and the errors about invalid ones."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.reporter.alarms.rules import AlarmRule, Kind
from lars.reporter.settings import ReporterSettings
from lars.settings import read_conf, resolve
from lars.shipped import shipped


class RuleCase(SynchronousTestCase):
    def rules(self, text: str) -> tuple[AlarmRule, ...]:
        path = Path(self.mktemp())
        path.write_text(text)
        settings: ReporterSettings = resolve(ReporterSettings, conf=str(path))
        return settings.alarms


class ParsedRuleTests(RuleCase):
    def test_each_section_is_a_rule_in_the_order_of_the_file(self) -> None:
        rules = self.rules(
            "[alarm b]\nwhat = no_idle_host\n[reporter]\nbatch_rows=9\n[alarm a b]\nwhat=silent_caller\n"
        )
        self.assertEqual([(rule.name, rule.kind) for rule in rules], [("b", "no_idle_host"), ("a b", "silent_caller")])

    def test_all_keys_of_an_error_rate(self) -> None:
        [rule] = self.rules(
            "[alarm shop]\nwhat=err_rate\nmodules = 1:1, 2:*\nabove=0.25\nmin_calls=7\nper=host\nover=120\n"
            "raise_after=0\nclear_after=1.5\nwebhook=https://user:pass%40@alarms.example:8443/x?y\n"
        )
        self.assertEqual(
            rule,
            AlarmRule(
                "shop",
                Kind.ERR_RATE,
                ((1, 1), (2, None)),
                over=120,
                above=0.25,
                min_calls=7,
                per_host=True,
                raise_after=0,
                clear_after=1.5,
                webhook="https://alarms.example:8443/x?y",
                headers=(("Authorization", "Basic dXNlcjpwYXNzQA=="),),
            ),
        )
        self.assertEqual([rule.applies_to(*m) for m in ((1, 1), (1, 2), (2, 9))], [True, False, True])

    def test_no_modules_means_all(self) -> None:
        for modules in ("", "modules = all\n"):
            [rule] = self.rules(f"[alarm x]\nwhat = err_rate\n{modules}")
            self.assertTrue(rule.applies_to(5, 6))

    def test_the_examples_in_the_shipped_conf_are_rules(self) -> None:
        text = shipped("conf", "lars-reporter.conf").read_text()
        shown = text[text.index("# [alarm ") :].replace("# ", "").splitlines()
        path = Path(self.mktemp())
        rules = [line for line in shown if line.startswith("[") or (" = " in line and "(" not in line)]
        path.write_text("\n".join(rules))
        settings: ReporterSettings = resolve(ReporterSettings, conf=str(path))
        self.assertEqual({rule.kind for rule in settings.alarms}, set(Kind))
        self.assertEqual(len(read_conf(str(path))), 22)


class RefusedRuleTests(RuleCase):
    def test_each_names_section_and_key_and_what_to_do(self) -> None:
        for text, *parts in (
            (
                "what = err_rte",
                "what",
                "'err_rte'",
                "err_rate, overloaded_host, no_idle_host, silent_caller, hosts_kept",
            ),
            ("over = 60", "what", "is missing"),
            ("", "what", "is missing"),
            ("what=err_rate\nabove = 1", "above", "no error rate is above 1"),
            ("what=err_rate\nabove = 12", "above", "from 0 to 1"),
            ("what=err_rate\nmodules = 1", "modules", "'1'", "MODID:CMDID"),
            ("what=err_rate\nmodules = 1:x", "modules", "'x'"),
            ("what=err_rate\nover = 30", "over", "counted by the minute", "60 or more"),
            ("what=err_rate\nper = caller", "per", "neither module nor host"),
            ("what=err_rate\nmin_callers = 2", "min_callers", "only for overloaded_host"),
            ("what=silent_caller\nmodules = 1:1", "modules", "only for err_rate and overloaded_host and no_idle_host"),
            ("what=silent_caller\nmin_calls = 1", "min_calls", "only for err_rate and no_idle_host"),
            ("what=err_rate\nshare = 1", "share", "only for overloaded_host and no_idle_host"),
            ("what=hosts_kept\nover = 60", "over", "not for what = hosts_kept"),
            ("what=overloaded_host\nshare = 0", "share", "from 0.01 to 1"),
            ("what=silent_caller\nover = 60", "over", "report every 60 s", "120 or more"),
            ("what=no_idle_host\nraise_after = soon", "raise_after", "'soon'"),
            ("what=no_idle_host\nraise_aftr = 1", "raise_aftr", "no such key", "raise_after"),
            ("what=no_idle_host\nwebhook = alarms.example", "webhook", "http://"),
            ("what=no_idle_host\nwebhook = http://a:99999/", "webhook", "http://"),
            (f"what=no_idle_host\nwebhook = http://a/{'x' * 1016}", "webhook", "1024 characters"),
        ):
            with self.assertRaises(SettingsError, msg=text) as caught:
                self.rules(f"[alarm mine]\n{text}\n")
            for part in ("[alarm mine]", *parts):
                self.assertIn(part, str(caught.exception))

    def test_rule_without_a_name_is_refused(self) -> None:
        with self.assertRaises(SettingsError) as caught:
            self.rules("[alarm]\nwhat = no_idle_host\n")
        self.assertIn("[alarm NAME]", str(caught.exception))
