"""The twistd options of a service: one for each setting, and its conf file."""

import os

from twisted.python import usage

from lars.settings.options import ServiceOptions
from tests.unit.settings.kiosk import ConfCase, Settings


class Options(ServiceOptions):
    settings_type = Settings


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

    def test_secret_comes_from_a_file(self) -> None:
        file = self.conf("mysql://lars:hunter2@db/lars\n")
        self.assertEqual(self.parsed("--database-file", file).database, "mysql://lars:hunter2@db/lars")
        for arguments, text in (
            (["--database", "x", "--database-file", file], "--database and --database-file: give one of them"),
            (["--database-file", "nowhere"], "file nowhere: cannot be read: No such file"),
            (["--database-file", self.conf(b"\xff")], "cannot be read: 'utf-8' codec"),
        ):
            with self.assertRaisesRegex(usage.UsageError, text):
                self.parsed(*arguments)

    def test_wrong_value_is_a_usage_error_that_names_the_option(self) -> None:
        with self.assertRaisesRegex(usage.UsageError, "option --max-visitors: 'x' is not a number from 1 to 99"):
            self.parsed("--max-visitors", "x")

    def test_help_shows_what_each_is_for_and_its_default(self) -> None:
        help_text = " ".join(str(Options()).split())
        self.assertIn("--max-visitors= How many [default: 5]", help_text)
        self.assertIn("--config=", help_text)

    def test_options_can_be_given_to_another_process(self) -> None:
        file = self.conf("[kiosk]\nmax_visitors = 6\n")
        options = Options()
        options.parseOptions(["--config", os.path.relpath(file), "--patience", "3"])
        self.assertEqual(options.again(), [f"--config={os.path.abspath(file)}", "--patience=3"])
        self.assertEqual(self.parsed(*options.again()), options.settings)
