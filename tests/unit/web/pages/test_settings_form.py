"""The form of a module's settings has what the schema has, and says what is wrong beside each field."""

from twisted.trial.unittest import SynchronousTestCase

from lars.module_settings import ALL
from lars.web.language import translations
from lars.web.pages.forms import FormError
from lars.web.pages.settings_form import SettingField, field_groups, parse_settings, texts_of

HTTP = {"health_check.type": "http", "health_check.path": "/healthz"}


def field(name: str, **typed: str) -> SettingField:
    fields = {f.setting.name: f for _title, group in field_groups(typed) for f in group}
    return fields[name]


class FieldsTests(SynchronousTestCase):
    def test_every_setting_has_one_field_in_the_order_of_the_schema(self) -> None:
        groups = field_groups({})
        names = [f.setting.name for _title, group in groups for f in group]
        self.assertEqual(sorted(names), sorted(setting.name for setting in ALL))
        self.assertEqual([str(title) for title, _group in groups], ["Balancing", "Ejection", "Health checks", "Zones"])
        self.assertEqual(names[:4], ["policy", "slow_start", "panic", "client_cache"])

    def test_default_is_shown_where_nothing_is_set(self) -> None:
        self.assertEqual(
            [field(name).default for name in ("policy", "panic", "health_check.interval")], ["", "true", "5"]
        )
        self.assertEqual(field("locality.overprovisioning").range, ("1", "100"))

    def test_what_cannot_be_chosen_stays_chosen(self) -> None:
        self.assertNotIn("fastest", field("policy").choices)
        self.assertEqual(field("policy", policy="fastest").choices[-1], "fastest")
        self.assertEqual(field("panic", panic="false").choices, ("true", "false"))


class ParseTests(SynchronousTestCase):
    def problems(self, **texts: str) -> dict[str, str]:
        bad = self.assertRaises(FormError, parse_settings, texts)
        return {name: str(text) for name, text in bad.errors.items()}

    def test_form_gives_back_what_it_shows(self) -> None:
        texts = {**HTTP, "panic": "false", "slow_start": "2.5", "health_check.status": "204"}
        settings = parse_settings({**texts, "policy": " ", "form_key": "x"})
        self.assertEqual(settings["panic"], False)
        self.assertEqual(texts_of(settings), texts)
        self.assertEqual(parse_settings({}), {})

    def test_each_bad_value_has_one_line_that_names_its_setting(self) -> None:
        typed = {
            "policy": "fastest",
            "panic": "maybe",
            "slow_start": "-1",
            "health_check.rise": "1.5",
            "health_check.path": "healthz",
        }
        self.assertEqual(
            self.problems(**typed),
            {
                "policy": "policy: choose one of adaptive, round_robin, consistent_hash, classic.",
                "panic": "panic: choose one of true, false.",
                "slow_start": "slow_start: write a number from 0 to 600.",
                "health_check.rise": "health_check.rise: write a whole number from 1 to 20.",
                "health_check.path": "health_check.path: write up to 512 printable ASCII characters without blanks, "
                "beginning with /.",
            },
        )

    def test_contradiction_stands_beside_one_of_its_fields_in_every_language(self) -> None:
        lacks = "health_check.path: an http check needs a path, such as /healthz."
        self.assertEqual(self.problems(**{"health_check.type": "http"}), {"health_check.path": lacks})
        self.assertEqual(
            self.problems(**{"health_check.path": "/x", "health_check.status": "204"}).keys(),
            {"health_check.path", "health_check.status"},
        )
        long = {"health_check.timeout": "6"}
        problem = "health_check.timeout: 6 is more than health_check.interval, which is 5."
        self.assertEqual(self.problems(**long), {"health_check.timeout": problem})
        for typed in ({"health_check.type": "http"}, {"health_check.status": "204"}, long):
            for name, text in self.assertRaises(FormError, parse_settings, typed).errors.items():
                self.assertRegex(text.to(translations("zh")), rf"^{name}: .*[\u4e00-\u9fff]")
