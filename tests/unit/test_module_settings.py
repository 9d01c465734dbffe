"""Settings of a module: one schema, checked once (docs/design/balancing.md, settings of a module)."""

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars import module_settings
from lars.balancing.policies import NAMES
from lars.errors import BadInput
from lars.module_settings import ALL, DEFAULTS, as_json, checked, edited, from_json, json_schema, with_defaults

HTTP = {"health_check.type": "http", "health_check.path": "/healthz"}


class ModuleSettingsTests(SynchronousTestCase):
    def refused(self, *edits: str) -> list[str]:
        """The problems of some edits of a module without settings."""
        return list(self.assertRaises(BadInput, edited, {}, edits).problems)

    def test_every_policy_can_be_named(self) -> None:
        self.assertEqual(sorted(module_settings.POLICIES), sorted(NAMES))

    def test_defaults_are_valid(self) -> None:
        for setting in ALL:
            if setting.default is not None:
                self.assertEqual(setting.check(setting.default), setting.default)

    def test_edits_in_text_set_and_reset(self) -> None:
        after = edited(HTTP, ["policy=round_robin", "health_check.interval=2.5", "health_check.path = /up"])
        self.assertEqual(
            after, {**HTTP, "health_check.path": "/up", "policy": "round_robin", "health_check.interval": 2.5}
        )
        self.assertEqual(edited(after, ["policy=", "health_check.interval="]), {**HTTP, "health_check.path": "/up"})

    def test_a_value_that_makes_no_sense_is_refused_by_name(self) -> None:
        for edit, problem in {
            "policy=adaptiv": "policy: 'adaptiv' is not one of adaptive, round_robin, consistent_hash, classic; "
            "did you mean adaptive?",
            "polcy=classic": "'polcy' is not a setting of a module; did you mean policy?",
            "slow_start=nan": "slow_start: 'nan' is not a number from 0 to 600",
            "slow_start=-1": "slow_start: '-1' is not a number from 0 to 600",
            "health_check.rise=1.5": "health_check.rise: '1.5' is not a whole number from 1 to 20",
            "panic=yes": "panic: 'yes' is not true or false",
            "policy": "'policy' is not NAME=VALUE",
        }.items():
            self.assertEqual(self.refused(edit), [problem])

    def test_settings_that_contradict_each_other_are_refused(self) -> None:
        for edits, problem in (
            (["health_check.type=http"], "health_check.path: an http check needs a path, such as /healthz"),
            (["health_check.path=/x"], "health_check.path: only an http check has one; set health_check.type to http"),
            (["health_check.timeout=6"], "health_check.timeout: 6 is more than health_check.interval, which is 5"),
            (["ejection.first_wait=11"], "ejection.first_wait: 11 is more than ejection.max_wait, which is 10"),
        ):
            self.assertEqual(self.refused(*edits), [problem])

    def test_each_fault_has_a_line(self) -> None:
        self.assertEqual(len(self.refused("panic=2", "policy=x", "slow_start=many")), 3)
        problems = self.assertRaises(BadInput, checked, {"panic": 1, "slow_start": True, "policy": None}).problems
        self.assertEqual(len(problems), 3)

    def test_canonical_text_does_not_depend_on_order(self) -> None:
        self.assertEqual(as_json({"slow_start": 3, "panic": False}), '{"panic":false,"slow_start":3}')
        self.assertEqual(as_json({}), "")
        self.assertEqual(from_json(as_json(HTTP)), (HTTP, []))

    def test_a_reader_uses_what_it_knows(self) -> None:
        settings, problems = from_json('{"policy":"round_robin","tomorrow":1,"slow_start":"x"}')
        self.assertEqual(settings, {"policy": "round_robin"})
        self.assertEqual(len(problems), 2)

    @given(st.text() | st.recursive(st.none() | st.integers() | st.floats() | st.text(), st.lists).map(json.dumps))
    def test_no_text_makes_a_reader_fail(self, text: str) -> None:
        settings, _problems = from_json(text)
        self.assertEqual(settings, {})

    def test_what_is_not_set_has_the_default(self) -> None:
        whole = with_defaults({"panic": False}, "classic")
        self.assertEqual(whole, {**DEFAULTS, "panic": False, "policy": "classic"})

    def test_the_schema_names_every_setting(self) -> None:
        self.assertEqual(list(json_schema()["properties"]), [setting.name for setting in ALL])
        for schema in json_schema()["properties"].values():
            self.assertIn("description", schema)
