"""The settings that modules have by the agent's conf file."""

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.conf_settings import ConfSettings
from lars.agent.settings import AgentSettings, module_choices, zone_name
from lars.errors import SettingsError
from lars.module_settings import with_defaults
from lars.route import ModuleId
from lars.settings import resolve


class ConfSettingsTests(SynchronousTestCase):
    def test_module_has_its_own_settings_then_those_of_all_then_the_defaults(self) -> None:
        choices = module_choices("* health_check.interval=9 panic=false, 1.1 health_check.interval=2 , 1.2 panic=true")
        conf = ConfSettings(choices, "adaptive")
        values = [
            (conf.of(ModuleId(*key))["health_check.interval"], conf.of(ModuleId(*key))["panic"])
            for key in ((1, 1), (1, 2), (7, 7))
        ]
        self.assertEqual(values, [(2, False), (9, True), (9, False)])
        self.assertEqual(conf.of(ModuleId(1, 1))["health_check.timeout"], 1)

    def test_same_settings_are_the_same_object(self) -> None:
        conf = ConfSettings((), "round_robin")
        self.assertIs(conf.of(ModuleId(1, 1)), conf.of(ModuleId(2, 2)))
        self.assertEqual(conf.of(ModuleId(1, 1)), with_defaults({}, "round_robin"))

    def test_text_of_the_choices_is_read_back(self) -> None:
        text = "* panic=false,1.1 health_check.path=/up health_check.type=http"
        choices = module_choices(text)
        self.assertEqual(module_choices(",".join(map(str, choices))), choices)

    def refused(self, text: str) -> str:
        with self.assertRaises(SettingsError) as caught:
            module_choices(text)
        return str(caught.exception)

    def test_mistakes_are_named(self) -> None:
        for text, part in (
            ("1.1 health_check.intervall=2", "did you mean health_check.interval?"),
            ("1.1 health_check.interval=x", "health_check.interval: 'x' is not a number"),
            ("1.1 health_check.type=http", "health_check.path: an http check needs a path"),
            ("1.1 policy=classic", "is not set here"),
            ("x panic=true", "write MODID.CMDID NAME=VALUE"),
            ("1.1 panic=true,1.1 panic=false", "1.1 appears twice"),
            ("1.1 panic=true,", "write MODID.CMDID NAME=VALUE"),
        ):
            self.assertIn(part, self.refused(text))

    def test_option_and_conf_key(self) -> None:
        settings = resolve(AgentSettings, options={"module_settings": "* panic=false", "zone": "eu-1a"})
        self.assertEqual((len(settings.module_settings), settings.zone, settings.check_rate), (1, "eu-1a", 50.0))

    def test_zone_is_a_short_word(self) -> None:
        self.assertEqual([zone_name("b.1-x"), zone_name("")], ["b.1-x", ""])
        for text in ("a b", "A", "z" * 65):
            with self.assertRaises(SettingsError):
                zone_name(text)
