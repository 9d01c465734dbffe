"""Settings: which place wins, and what a person is told about a value that cannot be used."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.settings import (
    Legacy,
    ServiceOptions,
    absolute_path,
    endpoint,
    integer,
    legacy_key,
    legacy_listen,
    number,
    ratio,
    read_conf,
    resolve,
    seconds,
    setting,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """One setting of each kind."""

    listen: str = setting("tcp:1000", "kiosk", endpoint, "Where", legacy=legacy_listen(1000))
    max_visitors: int = setting(5, "kiosk", integer(1, 99), "How many", environ="KIOSK_VISITORS")
    patience: float = setting(1.5, "kiosk", seconds, "How long", key="wait", legacy=legacy_key("old", "waitTime"))
    database: str = setting(
        "none", "kiosk", str, "Which", legacy=(Legacy((("db", "db_user"), ("db", "db_passwd")), lambda t: "@".join(t)),)
    )


class Options(ServiceOptions):
    settings_type = Settings


class ConfCase(SynchronousTestCase):
    """Tests that write a conf file."""

    def conf(self, text: str | bytes) -> str:
        path = Path(self.mktemp())
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def assert_refused(self, action: Callable[[], object], *parts: str) -> None:
        """It raises a SettingsError of one line that holds all the parts."""
        with self.assertRaises(SettingsError) as caught:
            action()
        text = str(caught.exception)
        for part in parts:
            self.assertIn(part, text)
        self.assertNotIn("\n", text)


class PrecedenceTests(ConfCase):
    """Default, conf file, environment, command line: the last that sets it wins."""

    def setUp(self) -> None:
        self.file = self.conf("[kiosk]\nmax_visitors = 6\nwait = 2\n")
        self.environ = {"KIOSK_VISITORS": "7"}

    def test_default_stands_where_nothing_sets_it(self) -> None:
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

    def test_our_key_wins_over_the_cpp_one(self) -> None:
        file = self.conf("[kiosk]\nwait = 2\n[old]\nwaitTime = 9\n")
        self.assertEqual(resolve(Settings, conf=file).patience, 2)

    def test_a_cpp_key_is_checked_even_where_ours_wins(self) -> None:
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


class ParserTests(ConfCase):
    def test_limits_are_within_and_the_next_numbers_are_not(self) -> None:
        self.assertEqual((integer(1, 99)("1"), integer(1, 99)("99")), (1, 99))
        self.assertEqual((number(0.5, 2)("0.5"), number(0.5, 2)("2")), (0.5, 2.0))
        for parse, text in (
            (integer(1, 99), "0"),
            (integer(1, 99), "100"),
            (integer(1, 99), "1.5"),
            (integer(1, 99), ""),
            (number(0.5, 2), "0.49"),
            (number(0.5, 2), "nan"),
            (number(0.5, 2), "inf"),
            (number(0.5, 2), "x"),
            (seconds, "0"),
            (seconds, "31536001"),
            (ratio, "1.01"),
            (ratio, "-0.01"),
        ):
            self.assert_refused(lambda parse=parse, text=text: parse(text), f"{text!r} is not a number from")  # type: ignore[misc]

    @given(st.text(max_size=20))
    def test_no_text_raises_anything_but_settings_error(self, text: str) -> None:
        for parse in (integer(1, 99), number(0, 1), seconds, ratio, endpoint, absolute_path):
            try:
                parse(text)
            except SettingsError as error:
                self.assertIn(repr(text), str(error))

    def test_places_to_listen(self) -> None:
        for text in ("tcp:7778", "tcp:7778:interface=127.0.0.1", "unix:/run/lars"):
            self.assertEqual(endpoint(text), text)
        for text in ("", "7778", "tcp:", "tcp:x", "tcp:1:typo=2", "ssl:x", "ssl:443:privateKey=/nowhere", "udp:53"):
            self.assert_refused(lambda text=text: endpoint(text), f"{text!r} is no place to listen", "tcp:7778:")  # type: ignore[misc]

    def test_paths_are_made_absolute_and_empty_ones_stay_empty(self) -> None:
        self.assertEqual(absolute_path("a/b"), str(Path.cwd() / "a/b"))
        self.assertEqual(absolute_path("~"), str(Path.home()))
        self.assertEqual(absolute_path(""), "")
        self.assert_refused(lambda: absolute_path("~no-such-user/x"), "~no-such-user/x")


class ReadConfTests(ConfCase):
    def test_last_of_two_equal_keys_wins_also_across_repeated_sections(self) -> None:
        file = self.conf("[a]\nx = 1\nx = 2\n[b]\ny = 1\n[a]\nx = 3\n")
        self.assertEqual(read_conf(file), {("a", "x"): "3", ("b", "y"): "1"})

    def test_case_is_kept_and_nothing_is_interpolated(self) -> None:
        file = self.conf("[a]\nMaxConn = 1\nmaxconn = 2\np = 100%d %(x)s ${y} =;#\n")
        expected = {("a", "MaxConn"): "1", ("a", "maxconn"): "2", ("a", "p"): "100%d %(x)s ${y} =;#"}
        self.assertEqual(read_conf(file), expected)

    def test_indented_lines_and_blank_ones_are_lines_like_any_other(self) -> None:
        file = self.conf("  [a]\n\n\tx=1\n    y = 2  \n\n  ; comment\n  # comment\nz=\n")
        self.assertEqual(read_conf(file), {("a", "x"): "1", ("a", "y"): "2", ("a", "z"): ""})

    def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(self) -> None:
        self.assertEqual(read_conf(self.conf(b"\xef\xbb\xbf[a]\r\nx = 1\r\n")), {("a", "x"): "1"})

    def test_a_section_called_default_is_one_like_any_other(self) -> None:
        self.assertEqual(
            read_conf(self.conf("[DEFAULT]\nx = 1\n[a]\ny = 2\n")), {("DEFAULT", "x"): "1", ("a", "y"): "2"}
        )

    def test_empty_file_sets_nothing(self) -> None:
        self.assertEqual(read_conf(self.conf("")), {})

    def test_file_that_is_not_there(self) -> None:
        self.assert_refused(lambda: read_conf("/nowhere/x.conf"), "conf file /nowhere/x.conf: cannot be read: No such")

    def test_folder_instead_of_a_file(self) -> None:
        self.assert_refused(lambda: read_conf("/"), "conf file /: cannot be read: Is a directory")

    def test_file_that_is_not_utf8(self) -> None:
        file = self.conf("[a]\n; 连接\nx = 1\n".encode("gbk"))
        self.assert_refused(lambda: read_conf(file), file, "it is not UTF-8 text")

    def test_key_before_any_section(self) -> None:
        file = self.conf("; a comment\nx = 1\n[a]\n")
        self.assert_refused(lambda: read_conf(file), f"{file}, line 2: a [section] must come first")

    def test_line_that_is_neither_section_nor_key(self) -> None:
        file = self.conf("[a]\nx = 1\nnonsense\n")
        self.assert_refused(lambda: read_conf(file), f"{file}, line 3: not a `key = value` line")

    @given(st.text(st.sampled_from("[]a=;# \n\t\r%\0\x0bé"), max_size=40))
    def test_no_text_raises_anything_but_settings_error(self, text: str) -> None:
        file = self.conf(text)
        try:
            read_conf(file)
        except SettingsError as error:
            self.assertIn(file, str(error))


class OptionsTests(ConfCase):
    """twistd's command line."""

    def parsed(self, *arguments: str) -> Settings:
        options = Options()
        options.parseOptions(arguments)
        settings: Settings = options.settings
        return settings

    def test_every_setting_has_an_option_of_its_name(self) -> None:
        settings = self.parsed("--listen", "tcp:1", "--max-visitors=2", "--patience", "3", "--database=x")
        self.assertEqual(settings, Settings("tcp:1", 2, 3.0, "x"))

    def test_conf_file_is_read_first(self) -> None:
        file = self.conf("[kiosk]\nmax_visitors = 6\nwait = 2\n")
        settings = self.parsed("--config", file, "--max-visitors", "9")
        self.assertEqual((settings.max_visitors, settings.patience), (9, 2))

    def test_wrong_value_is_a_usage_error_that_names_the_option(self) -> None:
        with self.assertRaisesRegex(usage.UsageError, "option --max-visitors: 'x' is not a number from 1 to 99"):
            self.parsed("--max-visitors", "x")

    def test_help_shows_what_each_is_for_and_its_default(self) -> None:
        help_text = " ".join(str(Options()).split())
        self.assertIn("--max-visitors= How many [default: 5]", help_text)
        self.assertIn("--config=", help_text)
