"""The texts of alarms, and of why they cleared, in the reader's language; they are stored in English. Pure."""

import re

from lars.web.language import Translatable, untranslated

_FORMS = (
    (
        re.compile(r"(?P<share>[\d.]+) % of 1 calls? in (?P<seconds>\S+) s failed, over (?P<limit>\S+) %"),
        Translatable("%(share)s %% of 1 call in %(seconds)s s failed, over %(limit)s %%"),
    ),
    (
        re.compile(
            r"(?P<share>[\d.]+) % of (?P<calls>[\d,]+) calls in (?P<seconds>\S+) s failed, over (?P<limit>\S+) %"
        ),
        Translatable("%(share)s %% of %(calls)s calls in %(seconds)s s failed, over %(limit)s %%"),
    ),
    (re.compile(r"ejected by 1 of 1 callers?"), Translatable("ejected by 1 of 1 caller")),
    (
        re.compile(r"ejected by 1 of 1 callers?, for (?P<share>\d+) % of the last (?P<seconds>\S+) s"),
        Translatable("ejected by 1 of 1 caller, for %(share)s %% of the last %(seconds)s s"),
    ),
    (
        re.compile(
            r"its only host is down: ejected by (?P<share>\d+) % of callers on average over "
            r"(?P<seconds>\S+) s, failed calls: (?P<err>[\d,]+) of (?P<calls>[\d,]+)"
        ),
        Translatable(
            "its only host is down: ejected by %(share)s %% of callers on average over %(seconds)s s, "
            "failed calls: %(err)s of %(calls)s"
        ),
    ),
    (
        re.compile(r"ejected by (?P<n>\d+) of (?P<callers>\d+) callers"),
        Translatable("ejected by %(n)s of %(callers)s callers"),
    ),
    (
        re.compile(r"(?P<n>\d+) of (?P<callers>\d+) callers have set it aside"),
        Translatable("ejected by %(n)s of %(callers)s callers"),
    ),
    (
        re.compile(r"all (?P<n>\d+) hosts that callers report on are (?:ejected|set aside)"),
        Translatable("all %(n)s hosts that callers report on are ejected"),
    ),
    (
        re.compile(
            r"ejected by (?P<n>\d+) of (?P<callers>\d+) callers, for (?P<share>\d+) % of the last (?P<seconds>\S+) s"
        ),
        Translatable("ejected by %(n)s of %(callers)s callers, for %(share)s %% of the last %(seconds)s s"),
    ),
    (
        re.compile(
            r"all (?P<n>\d+) hosts are down: ejected by (?P<share>\d+) % of callers on average over (?P<seconds>\S+) s"
            r", (?:failed calls: )?(?P<err>[\d,]+) of (?P<calls>[\d,]+)(?: calls failed)?"
        ),
        Translatable(
            "all %(n)s hosts are down: ejected by %(share)s %% of callers on average over %(seconds)s s, "
            "failed calls: %(err)s of %(calls)s"
        ),
    ),
    (re.compile(r"back to normal for (?P<seconds>\S+) s"), Translatable("back to normal for %(seconds)s s")),
    (re.compile(r"its rule was removed"), Translatable("its rule was removed")),
    (re.compile(r"it is no longer in the routes"), Translatable("it is no longer in the routes")),
    (re.compile(r"nothing was reported for a day"), Translatable("nothing was reported for a day")),
    (re.compile(r"the caller is forgotten"), Translatable("the caller is forgotten")),
    (re.compile(r"dismissed by (?P<actor>\S+)"), Translatable("dismissed by %(actor)s")),
    (
        re.compile(r"(?:no report|nothing was heard of it) for (?P<seconds>\d+) s"),
        Translatable("no report for %(seconds)s s"),
    ),
    (
        re.compile(r"1 hosts? of module (?P<module>\(\d+, \d+\)) no longer renew.*"),
        Translatable("1 host of module %(module)s no longer renews; it is kept, or most of them would be gone"),
    ),
    (
        re.compile(r"(?P<n>\d+) hosts of module (?P<module>\(\d+, \d+\)) no longer renew; they are kept.*"),
        Translatable("%(n)s hosts of module %(module)s no longer renew; they are kept, or most of them would be gone"),
    ),
)
"""Forms of texts, those of earlier releases included, which the database keeps."""


def alarm_text(text: str) -> Translatable:
    """The text of an alarm, to be translated if its form is known; otherwise as it is."""
    for form, translatable in _FORMS:
        if match := form.fullmatch(text):
            return Translatable(translatable.text, **match.groupdict())
    return untranslated(text)
