"""Pages as HTML: escaped, in the reader's language and zone."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm
from lars.db.measurements import Subject
from lars.web.language import LANGUAGES, Translatable, untranslated
from lars.web.page_request import Page, trouble
from lars.web.static_files import StaticFiles
from lars.web.views import FOLDER, NOTICES, Views
from tests.unit.web.requests import NOW, page_request

ALARM = Alarm(
    1,
    "lost",
    "overloaded_host",
    Subject(1, 2, 0x0A000001, 80),
    "2 of 3 callers have set it aside",
    int(NOW),
    0,
    "",
    1,
    1,
)


class ViewsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.views = Views(StaticFiles().address)

    def html(self, page: Page, **of_request: str) -> str:
        return self.views.render(page, page_request(**of_request)).decode()

    def test_every_template_is_compiled_for_every_language(self) -> None:
        names = {path.name for path in FOLDER.glob("*.html")}
        self.assertEqual(set(self.views._templates), {(language, name) for language in LANGUAGES for name in names})

    def test_every_address_of_a_template_begins_at_the_path_of_the_console(self) -> None:
        for path in FOLDER.glob("*.html"):
            self.assertNotRegex(path.read_text(encoding="utf-8"), r'(href|src|action|data-stream)="(/|\{\{ address)')

    def test_values_are_escaped(self) -> None:
        html = self.html(trouble(400, untranslated("<script>alert(1)</script>")))
        self.assertIn("&lt;script&gt;", html)
        self.assertNotIn("<script>alert", html)

    def test_page_is_in_the_readers_language(self) -> None:
        page = trouble(404, Translatable("There is no page at this address."))
        self.assertIn("There is no page at this address.", self.html(page))
        chinese = self.html(page, language="zh")
        self.assertIn("此地址没有页面。", chinese)
        self.assertIn('<html lang="zh-CN">', chinese)

    def test_alarms_are_shown_in_both_languages(self) -> None:
        page = Page("alarms.html", {"active": [ALARM], "cleared": [ALARM], "most": 10})
        english, chinese = self.html(page), self.html(page, language="zh")
        for text in ("Active", "Cleared", "ejected by 2 of 3 callers", "10.0.0.1:80", "(1, 2)"):
            self.assertIn(text, english)
        for text in ("未恢复", "已恢复", "被 2/3 个调用方摘除"):
            self.assertIn(text, chinese)

    def test_alarm_names_its_module_and_shows_the_latest_figures_and_why_it_cleared(self) -> None:
        alarm = replace(
            ALARM,
            module_name="shop / <pay>",
            text_now="ejected by 3 of 3 callers, for 80 % of the last 60 s",
            clear_reason="back to normal for 60 s",
        )
        page = Page("alarms.html", {"active": [], "cleared": [alarm], "most": 10})
        english, chinese = self.html(page), self.html(page, language="zh")
        for text in ("(1, 2) shop / &lt;pay&gt;", "latest: ejected by 3 of 3", "cleared: back to normal for 60 s"):
            self.assertIn(text, english)
        for text in ("最新: 被 3/3 个调用方摘除, 占最近 60 秒的 80%", "已解除: 已恢复正常 60 秒"):
            self.assertIn(text, chinese)

    def test_notice_is_one_of_those_known(self) -> None:
        page = trouble(404, untranslated("x"))
        self.assertIn("Hosts added: 3.", self.html(page, notice="added", n="3"))
        for forged in ("evil", "__class__", ""):
            self.assertNotIn('class="notice"', self.html(page, notice=forged))
        for name in NOTICES:
            self.assertIn('class="notice"', self.html(page, notice=name, n="<b>"))
