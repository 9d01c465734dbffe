"""Catalogues are complete, and the best language of a browser is chosen."""

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from twisted.trial.unittest import SynchronousTestCase

import lars.web
from lars.module_settings import ALL
from lars.web.language import FOLDER, Translatable, translations, untranslated, wanted_language

WEB = Path(lars.web.__file__).parent


def texts() -> set[str]:
    """Every text of the console that a page can show."""
    found = extract_from_dir(
        WEB,
        [("**.py", "python"), ("templates/**.html", "jinja2")],
        {"templates/**.html": {"silent": "false", "newstyle_gettext": "true"}},
        {"Translatable": None, "_": None},
    )
    own = {message for _file, _line, message, _comments, _context in found if isinstance(message, str)}
    return own | {setting.help for setting in ALL}


class CatalogueTests(SynchronousTestCase):
    def test_every_text_has_a_translation_with_the_same_values(self) -> None:
        with (FOLDER / "zh" / "LC_MESSAGES" / "lars.po").open("rb") as source:
            catalogue = {str(m.id): str(m.string) for m in read_po(source, locale="zh") if m.id}
        self.assertEqual(set(catalogue), texts())
        for text, translated in catalogue.items():
            self.assertTrue(translated, text)
            self.assertEqual(set(re.findall(r"%\(\w+\)s", text)), set(re.findall(r"%\(\w+\)s", translated)), text)

    def test_text_is_translated_when_it_is_shown(self) -> None:
        text = Translatable("and %(n)s more", n=3)
        self.assertEqual(text.to(translations("en")), "and 3 more")
        self.assertEqual(text.to(translations("zh")), "另有 3 项")

    def test_other_texts_are_the_same_in_every_language(self) -> None:
        self.assertEqual(untranslated("100 %").to(translations("zh")), "100 %")


class WishTests(SynchronousTestCase):
    def test_best_known_language_wins(self) -> None:
        for accept, language in {
            "": "en",
            "zh-CN,zh;q=0.9,en;q=0.8": "zh",
            "en-US,en;q=0.9,zh;q=0.8": "en",
            "fr,zh-TW;q=0.5,en;q=0.4": "zh",
            "zh;q=0, en;q=0.1": "en",
            "zh;q=x": "en",
            "*": "en",
        }.items():
            self.assertEqual(wanted_language(accept), language, accept)
