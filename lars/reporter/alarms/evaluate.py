"""Evaluates a rule: from rows of the database to the subjects that violate it, each with a text for people. Pure.

See docs/design/reporter.md, alarms.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lars.db.measurements import CallerSeen, HostCalls, Subject
from lars.reporter.alarms.rules import AlarmRule
from lars.reporter.alarms.window import Ejections
from lars.route import HostAddress, ModuleId, format_ip
from lars.wording import counted

Violations = dict[Subject, str]
"""The subjects that violate a rule now, each with the text of its alarm."""

FAILED = 0.9
"""The share of failed calls from which a host counts as down, although callers let it back to try it."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """The result of one evaluation: what violates the rule, and what has been seen to be right.

    A subject that is neither is unknown: nothing is reported of it, and silence is not health.
    """

    violations: Violations
    is_right: Callable[[Subject], bool]


def high_error_rates(rule: AlarmRule, calls: Iterable[HostCalls]) -> Judgment:
    """Modules or hosts whose error rate is above the rule's, if they have at least `min_calls` calls."""
    violations = {}
    right = set()
    for modid, cmdid, ip, port, succ, err in calls:
        total = succ + err
        if not total or not rule.applies_to(modid, cmdid):
            continue
        subject = Subject(modid, cmdid, ip, port)
        if err <= rule.above * total:
            right.add(subject)
        elif total >= rule.min_calls:
            violations[subject] = (
                f"{100 * err / total:.1f} % of {counted(total, 'call')} in {rule.over:g} s failed, "
                f"over {100 * rule.above:g} %"
            )
    return Judgment(violations, right.__contains__)


def ejected_hosts(rule: AlarmRule, hosts: Iterable[Ejections], calls: Iterable[HostCalls]) -> Judgment:
    """Hosts that at least `min_callers` callers have ejected for at least `share` of the time.

    A host is right only when calls succeed: callers let it back by time alone, called or not.
    """
    served = {host[:4] for host in calls if host.succ}
    violations = {}
    right = set()
    for host in hosts:
        subject = Subject(*host.now[:4])
        if not rule.applies_to(subject.modid, subject.cmdid):
            continue
        if host.of_time >= rule.share and host.most >= rule.min_callers:
            violations[subject] = (
                f"ejected by {host.most} of {counted(host.now.callers, 'caller')}, "
                f"for {100 * host.of_time:.0f} % of the last {rule.over:g} s"
            )
        elif host.now.reported and host.now[:4] in served:
            right.add(subject)
    return Judgment(violations, right.__contains__)


def modules_without_healthy_host(rule: AlarmRule, hosts: Iterable[Ejections], calls: Iterable[HostCalls]) -> Judgment:
    """Modules all of whose hosts are down: ejected for `share` of callers' time, or FAILED of their calls failed."""
    calls_of = {host[:4]: host for host in calls}
    by_module: dict[ModuleId, list[Ejections]] = {}
    for host in hosts:
        if rule.applies_to(host.now.modid, host.now.cmdid):
            by_module.setdefault(ModuleId(host.now.modid, host.now.cmdid), []).append(host)
    violations = {}
    right = set()
    for module, of_module in by_module.items():
        calls_by_host = [calls_of.get(host.now[:4]) for host in of_module]
        if all(_is_down(rule, host, calls) for host, calls in zip(of_module, calls_by_host, strict=True)):
            total = sum(calls.succ + calls.err for calls in calls_by_host if calls)
            err = sum(calls.err for calls in calls_by_host if calls)
            ejected = sum(host.of_callers for host in of_module) / len(of_module)
            violations[Subject(*module)] = (
                f"{_all(len(of_module))} down: ejected by {100 * ejected:.0f} % of callers on average over "
                f"{rule.over:g} s, failed calls: {err:,} of {total:,}"
            )
        elif any(_is_up(rule, host, calls) for host, calls in zip(of_module, calls_by_host, strict=True)):
            right.add(Subject(*module))
    return Judgment(violations, right.__contains__)


def _all(hosts: int) -> str:
    return "its only host is" if hosts == 1 else f"all {hosts} hosts are"


def _is_down(rule: AlarmRule, host: Ejections, calls: HostCalls | None) -> bool:
    if host.of_callers >= rule.share:
        return True
    return calls is not None and calls.succ + calls.err >= rule.min_calls and _is_failing(calls)


def _is_up(rule: AlarmRule, host: Ejections, calls: HostCalls | None) -> bool:
    return host.of_callers < rule.share and calls is not None and calls.succ > 0 and not _is_failing(calls)


def _is_failing(calls: HostCalls) -> bool:
    return calls.err > 0 and calls.err >= FAILED * (calls.succ + calls.err)


def silent_callers(rule: AlarmRule, callers: Iterable[CallerSeen], listening_for: float, now: float) -> Judgment:
    """Callers that have not reported for the rule's `over`, during all of which reports could be taken and written.

    Args:
        rule: the rule.
        callers: the callers that have not been heard of for `over`; all others are right.
        listening_for: for how many seconds reports have been taken and written without a break.
        now: in Unix seconds by the database's clock.
    """
    silent = {Subject(caller=seen.caller): f"no report for {now - seen.ts:.0f} s" for seen in callers}
    return Judgment(silent if listening_for >= rule.over else {}, lambda subject: subject not in silent)


def describe(subject: Subject, module_name: str = "") -> str:
    """The subject in words: "host 10.0.0.5:8080 of module (1, 1) shop / pay"."""
    return " of ".join(_parts(subject, module_name))


def _parts(subject: Subject, module_name: str) -> Iterator[str]:
    if subject.caller:
        yield f"caller {format_ip(subject.caller)}"
    if subject.port:
        yield f"host {HostAddress(subject.ip, subject.port)}"
    if subject.modid or subject.cmdid:
        yield f"module {ModuleId(subject.modid, subject.cmdid)} {module_name}".rstrip()
