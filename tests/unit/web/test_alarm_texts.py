"""Alarms are shown in the reader's language, also those that an earlier release raised."""

from twisted.trial.unittest import SynchronousTestCase

from lars.web.alarm_texts import alarm_text
from lars.web.language import translations

FORMS = {
    "12.5 % of 1,234 calls in 60 s failed, over 10 %": (
        "12.5 % of 1,234 calls in 60 s failed, over 10 %",
        "60 秒内 1,234 次调用中 12.5% 失败 (阈值 10%)",
    ),
    "ejected by 2 of 3 callers": ("ejected by 2 of 3 callers", "被 2/3 个调用方摘除"),
    "ejected by 2 of 3 callers, for 80 % of the last 60 s": (
        "ejected by 2 of 3 callers, for 80 % of the last 60 s",
        "被 2/3 个调用方摘除, 占最近 60 秒的 80%",
    ),
    "100.0 % of 1 call in 60 s failed, over 10 %": (
        "100.0 % of 1 call in 60 s failed, over 10 %",
        "60 秒内 1 次调用中 100.0% 失败 (阈值 10%)",
    ),
    "ejected by 1 of 1 caller": ("ejected by 1 of 1 caller", "被 1/1 个调用方摘除"),
    "ejected by 1 of 1 callers": ("ejected by 1 of 1 caller", "被 1/1 个调用方摘除"),
    "ejected by 1 of 1 caller, for 62 % of the last 60 s": (
        "ejected by 1 of 1 caller, for 62 % of the last 60 s",
        "被 1/1 个调用方摘除, 占最近 60 秒的 62%",
    ),
    "its only host is down: ejected by 70 % of callers on average over 60 s, failed calls: 0 of 1": (
        "its only host is down: ejected by 70 % of callers on average over 60 s, failed calls: 0 of 1",
        "唯一的主机不可用: 60 秒内平均被 70% 的调用方摘除, 1 次调用中 0 次失败",
    ),
    "all 2 hosts are down: ejected by 70 % of callers on average over 60 s, failed calls: 1,234 of 1,300": (
        "all 2 hosts are down: ejected by 70 % of callers on average over 60 s, failed calls: 1,234 of 1,300",
        "全部 2 个主机不可用: 60 秒内平均被 70% 的调用方摘除, 1,300 次调用中 1,234 次失败",
    ),
    "all 2 hosts are down: ejected by 70 % of callers on average over 60 s, 1,234 of 1,300 calls failed": (
        "all 2 hosts are down: ejected by 70 % of callers on average over 60 s, failed calls: 1,234 of 1,300",
        "全部 2 个主机不可用: 60 秒内平均被 70% 的调用方摘除, 1,300 次调用中 1,234 次失败",
    ),
    "back to normal for 60 s": ("back to normal for 60 s", "已恢复正常 60 秒"),
    "its rule was removed": ("its rule was removed", "其规则已移除"),
    "dismissed by web:lea": ("dismissed by web:lea", "由 web:lea 注销"),
    "2 of 3 callers have set it aside": ("ejected by 2 of 3 callers", "被 2/3 个调用方摘除"),
    "all 4 hosts that callers report on are ejected": (
        "all 4 hosts that callers report on are ejected",
        "调用方上报的全部 4 个主机均已被摘除",
    ),
    "all 4 hosts that callers report on are set aside": (
        "all 4 hosts that callers report on are ejected",
        "调用方上报的全部 4 个主机均已被摘除",
    ),
    "no report for 130 s": ("no report for 130 s", "已 130 秒没有上报"),
    "nothing was heard of it for 130 s": ("no report for 130 s", "已 130 秒没有上报"),
    "3 hosts of module (1, 2) no longer renew; they are kept, since most of it would be gone": (
        "3 hosts of module (1, 2) no longer renew; they are kept, or most of them would be gone",
        "模块 (1, 2) 有 3 个主机不再续约；已予保留，以免多数主机被移除",  # noqa: RUF001  # Chinese punctuation
    ),
}


class AlarmTextTests(SynchronousTestCase):
    def test_known_forms_are_translated(self) -> None:
        for text, (english, chinese) in FORMS.items():
            self.assertEqual(alarm_text(text).to(translations("en")), english)
            self.assertEqual(alarm_text(text).to(translations("zh")), chinese)

    def test_other_texts_are_shown_as_they_are(self) -> None:
        for text in ("", "100 % wrong", "2 of 3 callers have set it aside, says a script", "%(n)s"):
            for language in ("en", "zh"):
                self.assertEqual(alarm_text(text).to(translations(language)), text)
