"""Fields of a settings dataclass: what their declaration says, and how the C++ conf files spell them."""

from collections.abc import Mapping
from dataclasses import dataclass

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.settings.fields import described, legacy_key, legacy_listen, made_of_sections, sections, setting
from lars.settings.sources import resolve
from lars.settings.values import integer
from tests.unit.settings.kiosk import ConfCase


def guide(name: str, keys: Mapping[str, str]) -> tuple[str, int]:
    """A guide and how many visitors they take; the key `takes` is needed."""
    if "takes" not in keys:
        raise SettingsError("takes: missing")
    return name, integer(1, 9)(keys["takes"])


@dataclass(frozen=True, slots=True)
class Museum:
    """One setting, and any number of sections."""

    rooms: int = setting(3, "museum", integer(1, 9), "Rooms that are open", key="open_rooms")
    guides: tuple[tuple[str, int], ...] = sections("guide", guide)


class DeclarationTests(SynchronousTestCase):
    def test_setting_is_described_with_its_default(self) -> None:
        [(name, (how, default))] = described(Museum).items()
        self.assertEqual((name, how.section, how.key, default), ("rooms", "museum", "open_rooms", 3))
        self.assertEqual(how.help, "Rooms that are open")

    def test_fields_made_of_sections_are_described_apart(self) -> None:
        self.assertEqual({name: made.prefix for name, made in made_of_sections(Museum).items()}, {"guides": "guide"})


class SectionsTests(ConfCase):
    def test_each_section_is_one_value_in_the_order_of_the_file(self) -> None:
        file = self.conf("[guide Ed]\ntakes = 2\n[museum]\nopen_rooms = 4\n[guide Ann]\ntakes = 3\n")
        self.assertEqual(resolve(Museum, conf=file), Museum(4, (("Ed", 2), ("Ann", 3))))

    def test_no_section_is_no_value(self) -> None:
        self.assertEqual(resolve(Museum).guides, ())

    def test_error_names_file_and_section(self) -> None:
        file = self.conf("[guide Ann]\n")
        self.assert_refused(lambda: resolve(Museum, conf=file), f"{file}: [guide Ann] takes: missing")

    def test_another_section_with_the_same_beginning_is_not_one_of_them(self) -> None:
        file = self.conf("[guides]\ntakes = 2\n")
        self.assert_refused(lambda: resolve(Museum, conf=file), "[guides] takes: no such setting")


class LegacyTests(SynchronousTestCase):
    def test_one_key_is_taken_as_it_is(self) -> None:
        [legacy] = legacy_key("reactor", "maxConn")
        self.assertEqual((legacy.keys, legacy.build({"maxConn": "7"})), ((("reactor", "maxConn"),), "7"))

    def test_address_to_listen_on_has_defaults(self) -> None:
        [legacy] = legacy_listen(7778)
        for texts, endpoint in (
            ({"ip": "10.0.0.1", "port": "80"}, "tcp:80:interface=10.0.0.1"),
            ({"ip": "10.0.0.1"}, "tcp:7778:interface=10.0.0.1"),
            ({"port": "80"}, "tcp:80:interface=0.0.0.0"),
        ):
            self.assertEqual(legacy.build(texts), endpoint)

    def test_port_out_of_range_is_refused(self) -> None:
        [legacy] = legacy_listen(7778)
        self.assertRaises(SettingsError, legacy.build, {"port": "0"})
