"""The languages of the console: catalogues, the choice of a browser, and texts that are translated when shown."""

import gettext
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "locale"
LANGUAGES = ("en", "zh")
"""The first is what the texts are written in; each other has a catalogue."""


class Translatable:
    """A text in English, with %(name)s for its values, that a page shows in the reader's language."""

    __slots__ = ("text", "values")

    def __init__(self, text: str, /, **values: object) -> None:
        self.text = text
        self.values = values

    def to(self, translations: gettext.NullTranslations) -> str:
        """The text in a language."""
        return translations.gettext(self.text) % self.values if self.values else translations.gettext(self.text)

    def __str__(self) -> str:
        return self.text % self.values if self.values else self.text


def untranslated(text: object) -> Translatable:
    """A text that is the same in every language: an error's, or what a user wrote."""
    return Translatable("%(text)s", text=text)


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of a language, compiled in memory, so that a changed text needs no build step."""
    if language == LANGUAGES[0]:
        return gettext.NullTranslations()
    with (FOLDER / language / "LC_MESSAGES" / "lars.po").open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def wanted_language(accept: str) -> str:
    """The best of LANGUAGES for an Accept-Language header, whose regions do not count (RFC 9110, 12.5.4)."""
    best, most = LANGUAGES[0], 0.0
    for part in accept.split(","):
        tag, _, parameters = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        quality = _quality(parameters)
        if language in LANGUAGES and quality > most:
            best, most = language, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


Errors = Mapping[str, Translatable]
"""What is wrong with a form: the name of a field, or "" for the whole of it, and a text beside it."""
