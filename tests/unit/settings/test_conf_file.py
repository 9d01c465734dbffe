"""Conf files: read as the C++ programs read them; an error names the file and the line."""

from hypothesis import given
from hypothesis import strategies as st

from lars.errors import SettingsError
from lars.settings.conf_file import read_conf
from tests.unit.settings.kiosk import ConfCase


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
