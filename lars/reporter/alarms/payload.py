"""What is posted of an alarm: one JSON object, for programs and for people. Pure.

See docs/design/reporter.md, webhooks.
"""

from lars.db.alarms import Alarm
from lars.reporter.alarms.evaluate import describe
from lars.route import format_ip


def payload(alarm: Alarm, cleared: bool, console: str = "") -> dict[str, object]:
    """The JSON object that is posted; a repeated post has the same `id` and `event`.

    `text` says everything in one line, since chat programs show nothing else. `console` is the URL of lars-web.
    """
    subject = alarm.subject
    about = describe(subject, alarm.module_name)
    link = console and console + page_of(alarm)
    content: dict[str, object] = {
        "event": "cleared" if cleared else "raised",
        "id": alarm.id,
        "rule": alarm.rule,
        "what": alarm.what,
        "subject": about,
        "text": sentence(alarm, about, cleared, link),
        "figures": alarm.text,
        "figures_now": alarm.text_now or alarm.text,
        "raised_at": alarm.raised_at,
    }
    if cleared:
        content |= {"cleared_at": alarm.cleared_at, "reason": alarm.clear_reason}
    if subject.modid or subject.cmdid:
        content |= {"modid": subject.modid, "cmdid": subject.cmdid, "module": alarm.module_name}
    if subject.port:
        content["host"] = f"{format_ip(subject.ip)}:{subject.port}"
    if subject.caller:
        content["caller"] = format_ip(subject.caller)
    if link:
        content["url"] = link
    return content


def sentence(alarm: Alarm, about: str, cleared: bool, link: str) -> str:
    """An alarm in one line: its rule, whom it is about, the figures when it was raised and now, and where to look."""
    now = f" (now: {alarm.text_now})" if alarm.text_now not in ("", alarm.text) else ""
    if cleared:
        reason = f": {alarm.clear_reason}" if alarm.clear_reason else ""
        text = f"Cleared: {alarm.rule}: {about}{reason} (was: {alarm.text_now or alarm.text})"
    else:
        text = f"{alarm.rule}: {about}: {alarm.text}{now}"
    return f"{text} {link}".rstrip()


def page_of(alarm: Alarm) -> str:
    """The path of the page of lars-web that shows what an alarm is about."""
    subject = alarm.subject
    if subject.modid or subject.cmdid:
        return f"/modules/{subject.modid}/{subject.cmdid}"
    return "/agents" if subject.caller else "/alarms"
