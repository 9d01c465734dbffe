"""Database URLs: what they name, and that nothing ever shows a password."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.db.url import MysqlUrl, SqliteUrl, mysql_url_text, parse_url
from lars.errors import SettingsError

PASSWORD = "hunter2"


class MysqlUrlTests(SynchronousTestCase):
    def test_all_parts(self) -> None:
        url = parse_url("mysql://ann:s3cret@db.example:3307/lars_dns")
        self.assertEqual(url, MysqlUrl("db.example", 3307, "ann", "s3cret", "lars_dns"))

    def test_what_may_be_left_out(self) -> None:
        self.assertEqual(parse_url("mysql://db/lars"), MysqlUrl("db", 3306, "root", "", "lars"))

    def test_escaped_characters_are_unescaped(self) -> None:
        url = parse_url("mysql://a%40b:p%2F%40%25%3A@db/lars")
        self.assertEqual(url, MysqlUrl("db", 3306, "a@b", "p/@%:", "lars"))

    def test_server_at_a_unix_socket(self) -> None:
        for host in ("", "localhost", "localhost:3306"):
            url = parse_url(f"mysql://ann:s3cret@{host}/lars?unix_socket=/run/my%20sql.sock")
            self.assertEqual(url, MysqlUrl("localhost", 3306, "ann", "s3cret", "lars", "/run/my sql.sock"))
        self.assertEqual(str(url), "mysql://ann@localhost/lars?unix_socket=/run/my%20sql.sock")
        self.assertEqual(parse_url(str(url)), MysqlUrl("localhost", 3306, "ann", "", "lars", "/run/my sql.sock"))

    def test_characters_that_end_a_url_too_soon_are_named(self) -> None:
        for text in ("mysql://ann:p#w@db/lars", "mysql://ann:p?w@db/lars"):
            error = str(self.assertRaises(SettingsError, parse_url, text))
            self.assertIn("'#' or '?' in the password as %2F, %40, %25, %23, %3F", error)

    def test_an_ipv6_address_has_brackets(self) -> None:
        self.assertEqual(parse_url("mysql://[::1]:3307/lars"), MysqlUrl("::1", 3307, "root", "", "lars"))

    def test_neither_its_text_nor_its_repr_shows_the_password(self) -> None:
        url = parse_url(f"mysql://ann:{PASSWORD}@db/lars")
        self.assertEqual((str(url), repr(url)), ("mysql://ann@db:3306/lars",) * 2)

    def test_what_cannot_be_one_is_refused_without_showing_the_password(self) -> None:
        for text in (
            f"mysql://root:{PASSWORD}@/lars",
            f"mysql://root:{PASSWORD}@db",
            f"mysql://root:{PASSWORD}@db/",
            f"mysql://root:{PASSWORD}@db/a/b",
            f"mysql://root:{PASSWORD}@db:x/lars",
            f"mysql://root:{PASSWORD}@db:0/lars",
            f"mysql://root:{PASSWORD}@db:99999/lars",
            f"mysql://root:{PASSWORD}@db/lars?x=1",
            f"mysql://root:{PASSWORD}@db/lars#x",
            f"mysql://root:{PASSWORD}@db/lars?unix_socket=relative",
            f"mysql://root:{PASSWORD}@db/lars?unix_socket=",
            f"mysql://root:{PASSWORD}@/lars?ssl=1",
            f"mysql://root:{PASSWORD}/x@db/lars",
            f"mysql://root:{PASSWORD}@[db/lars",
            f"mysql:/root:{PASSWORD}@db/lars",
            f"root:{PASSWORD}@db/lars",
            f"{PASSWORD}@db/lars",
            f"root:{PASSWORD}@db://lars",
            f"postgres://root:{PASSWORD}@db/lars",
            f"sqlite://root:{PASSWORD}@db/lars",
        ):
            with self.assertRaises(SettingsError) as caught:
                parse_url(text)
            self.assertNotIn(PASSWORD, str(caught.exception), text)

    def test_another_kind_of_database_is_named(self) -> None:
        with self.assertRaisesRegex(SettingsError, "starts with mysql:// or sqlite:///, not with postgres://"):
            parse_url("postgres://db/lars")

    @given(st.text(max_size=30))
    def test_no_text_raises_anything_but_settings_error(self, text: str) -> None:
        for start in ("", "mysql://", "sqlite:///"):
            try:
                parse_url(start + text)
            except SettingsError as error:
                self.assertNotIn("\n", str(error))


class CppKeysTests(SynchronousTestCase):
    """The keys of a C++ [mysql] section as a URL."""

    @given(st.text(st.characters(codec="utf-8"), max_size=20))
    def test_any_password_survives(self, password: str) -> None:
        url = parse_url(mysql_url_text({"db_passwd": password}))
        self.assertEqual(url, MysqlUrl("127.0.0.1", 3306, "root", password, "lars_dns"))

    def test_every_key(self) -> None:
        keys = {"db_host": "::1", "db_port": "3307", "db_user": "a@b", "db_passwd": "%s", "db_name": "l@rs"}
        self.assertEqual(parse_url(mysql_url_text(keys)), MysqlUrl("::1", 3307, "a@b", "%s", "l@rs"))

    def test_bad_port_is_refused(self) -> None:
        with self.assertRaisesRegex(SettingsError, "bad host or port"):
            parse_url(mysql_url_text({"db_port": "many"}))


class SqliteUrlTests(SynchronousTestCase):
    def test_relative_path_is_made_absolute_and_an_absolute_one_stays(self) -> None:
        self.assertEqual(parse_url("sqlite:///lars.db"), SqliteUrl(Path.cwd() / "lars.db"))
        self.assertEqual(parse_url("sqlite:////var/lib/lars.db"), SqliteUrl(Path("/var/lib/lars.db")))

    def test_its_text_is_a_url_of_the_same_file(self) -> None:
        for path in ("/var/lib/lars.db", "/a b/100%41.db", "/ä?x#y:memory:"):
            self.assertEqual(parse_url(str(SqliteUrl(Path(path)))), SqliteUrl(Path(path)))

    def test_what_names_no_file_is_refused(self) -> None:
        for text in ("sqlite://", "sqlite:///", "sqlite:////", "sqlite:///:memory:", "sqlite://lars.db"):
            with self.assertRaisesRegex(SettingsError, "an SQLite URL names a file"):
                parse_url(text)


class SeveralServersTests(SynchronousTestCase):
    def servers(self, hosts: str) -> list[tuple[str, int]]:
        url = parse_url(f"mysql://ann:{PASSWORD}@{hosts}/lars")
        assert isinstance(url, MysqlUrl)
        return [(server.host, server.port) for server in url.servers]

    def test_servers_are_tried_in_the_order_of_the_url_each_with_its_port(self) -> None:
        self.assertEqual(self.servers("db1:3307,db2,db3:3308"), [("db1", 3307), ("db2", 3306), ("db3", 3308)])

    def test_ipv6_addresses_are_in_brackets(self) -> None:
        self.assertEqual(self.servers("[::1]:3307,[fd00::2]"), [("::1", 3307), ("fd00::2", 3306)])
        self.assertEqual(str(parse_url("mysql://ann@[::1]:3307,db2/lars")), "mysql://ann@[::1]:3307,db2:3306/lars")

    def test_all_servers_and_the_ca_are_shown_and_the_password_is_not(self) -> None:
        url = parse_url(f"mysql://ann:{PASSWORD}@db1,db2:3307/lars?ssl_ca=/etc/lars/ca.pem")
        self.assertEqual(str(url), "mysql://ann@db1:3306,db2:3307/lars?ssl_ca=/etc/lars/ca.pem")
        assert isinstance(url, MysqlUrl)
        self.assertEqual(url.ssl_ca, "/etc/lars/ca.pem")

    def test_what_is_wrong_is_said_without_the_password(self) -> None:
        for rest in (
            "db1,/lars",
            ",db1/lars",
            "db1,,db2/lars",
            "db1:,db2:0/lars",
            "db1:x,db2/lars",
            "db1,db2:70000/lars",
            "db1,db2",
            "[::1,db2/lars",
            "db1,db2/lars?unix_socket=/run/sock",
            "db1/lars?ssl_ca=relative.pem",
            "db1/lars?ssl_ca=",
            "db1/lars?ssl_key=/etc/key.pem",
        ):
            error = self.assertRaises(SettingsError, parse_url, f"mysql://ann:{PASSWORD}@{rest}")
            self.assertNotIn(PASSWORD, str(error))
            self.assertNotIn("\n", str(error))

    @given(st.text(st.characters(codec="utf-8"), max_size=40))
    def test_no_text_is_anything_but_a_url_or_an_error_without_the_password(self, rest: str) -> None:
        try:
            url = parse_url(f"mysql://ann:{PASSWORD}@{rest}")
        except SettingsError as error:
            self.assertNotIn(PASSWORD, str(error))
        else:
            self.assertIsInstance(url, MysqlUrl)
