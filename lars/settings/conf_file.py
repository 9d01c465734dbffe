"""Conf files: sections of `key = value` lines, read as the C++ programs read them."""

from configparser import Error as ConfError
from configparser import MissingSectionHeaderError, ParsingError, RawConfigParser
from pathlib import Path

from lars.errors import SettingsError

Key = tuple[str, str]
"""(section, key) of a conf file."""


def read_conf(path: str) -> dict[Key, str]:
    """The values of a conf file.

    As in the C++ programs, nothing is interpolated (passwords hold %), case matters, leading blanks of a line do not,
    and the last of two equal keys wins. A section without keys has one whose name is empty.

    Raises SettingsError, which names the file and the line, if the file cannot be read.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"conf file {path}: cannot be read: {reason}") from None
    parser = RawConfigParser(strict=False, default_section="\0", delimiters=("=",))
    parser.optionxform = str  # type: ignore[method-assign, assignment]  # the documented way to keep the case
    try:
        parser.read_string("\n".join(line.strip() for line in lines), source=path)
    except MissingSectionHeaderError as error:
        raise SettingsError(f"conf file {path}, line {error.lineno}: a [section] must come first") from None
    except ParsingError as error:
        raise SettingsError(f"conf file {path}, line {error.errors[0][0]}: not a `key = value` line") from None
    except ConfError as error:
        raise SettingsError(f"conf file {path}: {str(error).splitlines()[0]}") from None
    return {
        (section, key): value for section in parser.sections() for key, value in parser.items(section) or [("", "")]
    }
