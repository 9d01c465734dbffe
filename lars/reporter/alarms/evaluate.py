"""Evaluates a rule: from rows of the database to the subjects that violate it, each with a text for people. Pure.

See docs/design/reporter.md, alarms.
"""

from collections.abc import Iterable, Iterator

from lars.db.alarms import CallerSeen, HostCalls, HostStates, Subject
from lars.reporter.alarms.rules import AlarmRule
from lars.route import HostAddress, ModuleId, format_ip

Violations = dict[Subject, str]
"""The subjects that violate a rule now, each with the text of its alarm."""


def high_error_rates(rule: AlarmRule, calls: Iterable[HostCalls]) -> Violations:
    """Modules or hosts whose error rate is above the rule's, if they have at least `min_calls` calls."""
    violations = {}
    for modid, cmdid, ip, port, succ, err in calls:
        total = succ + err
        if rule.applies_to(modid, cmdid) and total >= rule.min_calls and err > rule.above * total:
            violations[Subject(modid, cmdid, ip, port)] = (
                f"{100 * err / total:.1f} % of {total:,} calls in {rule.over:g} s failed, over {100 * rule.above:g} %"
            )
    return violations


def ejected_hosts(rule: AlarmRule, hosts: Iterable[HostStates]) -> Violations:
    """Hosts that at least `min_callers` callers have ejected."""
    return {
        Subject(*host[:4]): f"ejected by {host.overloaded_at} of {host.callers} callers"
        for host in hosts
        if rule.applies_to(host.modid, host.cmdid) and host.overloaded_at >= rule.min_callers
    }


def modules_without_healthy_host(rule: AlarmRule, hosts: Iterable[HostStates]) -> Violations:
    """Modules whose hosts are all ejected by all callers."""
    by_module: dict[ModuleId, list[HostStates]] = {}
    for host in hosts:
        if rule.applies_to(host.modid, host.cmdid):
            by_module.setdefault(ModuleId(host.modid, host.cmdid), []).append(host)
    return {
        Subject(*module): f"all {len(of_module)} hosts that callers report on are ejected"
        for module, of_module in by_module.items()
        if all(host.overloaded_at == host.callers for host in of_module)
    }


def silent_callers(rule: AlarmRule, callers: Iterable[CallerSeen], listening_since: float, now: float) -> Violations:
    """Callers that have not reported for the rule's `over`, during all of which reports could be taken and written.

    Args:
        rule: the rule.
        callers: when each caller was last heard from.
        listening_since: since when reports have been taken and written without a break, in Unix seconds.
        now: in Unix seconds.
    """
    return {
        Subject(caller=seen.caller): f"no report for {now - seen.ts:.0f} s"
        for seen in callers
        if now - max(seen.ts, listening_since) >= rule.over
    }


def describe(subject: Subject) -> str:
    """The subject in words: "host 10.0.0.5:8080 of module (1, 1)"."""
    return " of ".join(_parts(subject))


def _parts(subject: Subject) -> Iterator[str]:
    if subject.caller:
        yield f"caller {format_ip(subject.caller)}"
    if subject.port:
        yield f"host {HostAddress(subject.ip, subject.port)}"
    if subject.modid or subject.cmdid:
        yield f"module {ModuleId(subject.modid, subject.cmdid)}"
