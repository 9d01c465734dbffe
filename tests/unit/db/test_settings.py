"""The database setting: its sources, and an SQLite path that no change of directory moves."""

from dataclasses import dataclass
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.db.settings import absolute_url, database_setting
from lars.errors import SettingsError
from lars.settings import resolve


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a service that has only a database."""

    db: str = database_setting()


class AbsoluteUrlTests(SynchronousTestCase):
    def test_sqlite_path_is_made_absolute(self) -> None:
        self.assertEqual(absolute_url("sqlite:///lars.db"), f"sqlite:///{Path.cwd()}/lars.db")

    def test_mysql_url_keeps_its_password(self) -> None:
        url = "mysql://ann:hunter2@db/lars"
        self.assertEqual(absolute_url(url), url)

    def test_other_urls_are_refused(self) -> None:
        self.assertRaises(SettingsError, absolute_url, "postgres://db/lars")


class SourcesTests(SynchronousTestCase):
    def conf(self, text: str) -> str:
        path = Path(self.mktemp())
        path.write_text(text, encoding="utf-8")
        return str(path)

    def test_conf_file_environment_and_option_name_it(self) -> None:
        conf = self.conf("[database]\nurl = sqlite:////conf.db\n")
        environ = {"LARS_DB": "sqlite:////environ.db"}
        self.assertEqual(resolve(Settings, conf=conf).db, "sqlite:////conf.db")
        self.assertEqual(resolve(Settings, conf=conf, environ=environ).db, "sqlite:////environ.db")
        options = {"db": "sqlite:////option.db"}
        self.assertEqual(resolve(Settings, conf=conf, environ=environ, options=options).db, "sqlite:////option.db")

    def test_cpp_section_names_it(self) -> None:
        conf = self.conf("[mysql]\ndb_host = db\ndb_passwd = p@ss\n")
        self.assertEqual(resolve(Settings, conf=conf).db, "mysql://root:p%40ss@db:3306/lars_dns")

    def test_error_does_not_show_the_password(self) -> None:
        conf = self.conf("[database]\nurl = mysql://ann:hunter2@\n")
        error = self.assertRaises(SettingsError, resolve, Settings, conf=conf)
        self.assertNotIn("hunter2", str(error))
