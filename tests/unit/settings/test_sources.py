"""Which source of a setting wins, and what the error says about a value that cannot be used."""

from dataclasses import dataclass

from lars.errors import SettingsError
from lars.settings.fields import names_given, setting
from lars.settings.sources import resolve
from lars.settings.values import integer
from tests.unit.settings.kiosk import ConfCase, Settings


class PrecedenceTests(ConfCase):
    """Default, conf file, environment, command line: the last that sets it wins."""

    def setUp(self) -> None:
        self.file = self.conf("[kiosk]\nmax_visitors = 6\nwait = 2\n")
        self.environ = {"KIOSK_VISITORS": "7"}

    def test_default_is_used_where_nothing_sets_it(self) -> None:
        self.assertEqual(resolve(Settings), Settings("tcp:1000", 5, 1.5, "none"))

    def test_conf_file_wins_over_default(self) -> None:
        self.assertEqual(resolve(Settings, conf=self.file).max_visitors, 6)

    def test_environment_wins_over_conf_file(self) -> None:
        self.assertEqual(resolve(Settings, conf=self.file, environ=self.environ).max_visitors, 7)

    def test_command_line_wins_over_all(self) -> None:
        options = {"max_visitors": "8"}
        resolved = resolve(Settings, conf=self.file, environ=self.environ, options=options)
        self.assertEqual((resolved.max_visitors, resolved.patience), (8, 2.0))

    def test_option_that_was_not_given_and_empty_environment_set_nothing(self) -> None:
        resolved = resolve(Settings, environ={"KIOSK_VISITORS": ""}, options={"max_visitors": None})
        self.assertEqual(resolved.max_visitors, 5)

    def test_names_given_are_those_that_a_source_sets_also_to_the_default(self) -> None:
        @dataclass(frozen=True, slots=True)
        class Noted(Settings):
            given: frozenset[str] = names_given()

        file = self.conf("[kiosk]\nmax_visitors = 5\n[old]\nwaitTime = 9\n")
        self.assertEqual(resolve(Noted, conf=file).given, {"max_visitors", "patience"})
        self.assertEqual(resolve(Noted, environ=self.environ).given, {"max_visitors"})
        self.assertEqual(resolve(Noted, options={"database": "one", "patience": None}).given, {"database"})
        self.assertEqual(resolve(Noted).given, frozenset())

    def test_own_key_wins_over_the_cpp_one(self) -> None:
        file = self.conf("[kiosk]\nwait = 2\n[old]\nwaitTime = 9\n")
        self.assertEqual(resolve(Settings, conf=file).patience, 2)

    def test_a_cpp_key_is_checked_even_where_the_own_key_wins(self) -> None:
        file = self.conf("[kiosk]\nwait = 2\n[old]\nwaitTime = never\n")
        self.assert_refused(lambda: resolve(Settings, conf=file), "[old] waitTime = 'never'")


class WrongValueTests(ConfCase):
    """The text names the file, section and key, or the option."""

    def test_value_in_a_conf_file(self) -> None:
        file = self.conf("[kiosk]\nmax_visitors = many\n")
        expected = f"{file}: [kiosk] max_visitors = 'many': 'many' is not a number from 1 to 99"
        self.assert_refused(lambda: resolve(Settings, conf=file), expected)

    def test_value_of_cpp_keys(self) -> None:
        file = self.conf("[reactor]\nip = 10.0.0.1\nport = 99999\n")
        expected = f"{file}: [reactor] ip = '10.0.0.1', port = '99999': '99999' is not a number from 1 to 65535"
        self.assert_refused(lambda: resolve(Settings, conf=file), expected)

    def test_value_in_the_environment(self) -> None:
        environ = {"KIOSK_VISITORS": "0"}
        self.assert_refused(lambda: resolve(Settings, environ=environ), "environment KIOSK_VISITORS: '0' is not")

    def test_value_on_the_command_line(self) -> None:
        options = {"max_visitors": "100"}
        self.assert_refused(lambda: resolve(Settings, options=options), "option --max-visitors: '100' is not")

    def test_passwords_and_urls_are_not_shown(self) -> None:
        @dataclass(frozen=True, slots=True)
        class Secret:
            a: int = setting(1, "s", integer(0, 9), "", key="db_passwd")
            b: int = setting(1, "s", integer(0, 9), "", key="url")

        for line in ("db_passwd = hunter2", "url = mysql://root:hunter2@db/lars", "url = root:hunter2@db"):
            file = self.conf(f"[s]\n{line}\n")
            with self.assertRaises(SettingsError) as caught:
                resolve(Secret, conf=file)
            self.assertIn(f"[s] {line.split(' ')[0]} = ***", str(caught.exception))

    def test_unknown_key_suggests_the_nearest(self) -> None:
        for line, hint in (
            ("[kiosk]\nmax_visitor = 3", "[kiosk] max_visitor: no such setting; did you mean [kiosk] max_visitors?"),
            ("[kisok]\nwait = 3", "[kisok] wait: no such setting; did you mean [kiosk] wait?"),
            ("[old]\nwaittime = 3", "did you mean [old] waitTime?"),
            ("[reactor]\nmaxconn = 3", "[reactor] maxconn: no such setting"),
        ):
            file = self.conf(line)
            self.assert_refused(lambda file=file: resolve(Settings, conf=file), f"{file}: ", hint)  # type: ignore[misc]

    def test_unknown_key_like_no_other_suggests_nothing(self) -> None:
        file = self.conf("[zzzzzzzzzzzz]\nqqqqqqqqqqqqqqqqqqqqqqqqqqq = 3")
        with self.assertRaisesRegex(SettingsError, "no such setting$"):
            resolve(Settings, conf=file)
