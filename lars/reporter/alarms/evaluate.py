"""What is wrong now, by a rule: from what was read to the subjects of alarms, each with a text for a person. Pure."""

from collections.abc import Iterable, Iterator

from lars.db.alarms import CallerSeen, HostCalls, HostStates, Subject
from lars.reporter.alarms.rules import AlarmRule
from lars.route import HostAddress, ModuleId, format_ip

Wrong = dict[Subject, str]
"""What is wrong now, and how."""


def high_error_rates(rule: AlarmRule, calls: Iterable[HostCalls]) -> Wrong:
    """Modules or hosts whose error rate is above the rule's, where there are calls enough to say so."""
    wrong = {}
    for modid, cmdid, ip, port, succ, err in calls:
        total = succ + err
        if rule.watches(modid, cmdid) and total >= rule.min_calls and err > rule.above * total:
            wrong[Subject(modid, cmdid, ip, port)] = (
                f"{100 * err / total:.1f} % of {total:,} calls in {rule.over:g} s failed, over {100 * rule.above:g} %"
            )
    return wrong


def overloaded_hosts(rule: AlarmRule, hosts: Iterable[HostStates]) -> Wrong:
    """Hosts that callers enough have set aside."""
    return {
        Subject(*host[:4]): f"{host.overloaded_at} of {host.callers} callers have set it aside"
        for host in hosts
        if rule.watches(host.modid, host.cmdid) and host.overloaded_at >= rule.min_callers
    }


def modules_without_idle_host(rule: AlarmRule, hosts: Iterable[HostStates]) -> Wrong:
    """Modules of which every caller has set every host aside."""
    by_module: dict[ModuleId, list[HostStates]] = {}
    for host in hosts:
        if rule.watches(host.modid, host.cmdid):
            by_module.setdefault(ModuleId(host.modid, host.cmdid), []).append(host)
    return {
        Subject(*module): f"all {len(of_module)} hosts that callers report on are set aside"
        for module, of_module in by_module.items()
        if all(host.overloaded_at == host.callers for host in of_module)
    }


def silent_callers(rule: AlarmRule, callers: Iterable[CallerSeen], watched_since: float, now: float) -> Wrong:
    """Callers that have not been heard of for the rule's time, all of which somebody has listened.

    Args:
        watched_since: when reports were last not taken or not written, in Unix seconds, as `now`.
    """
    return {
        Subject(caller=seen.caller): f"nothing was heard of it for {now - seen.ts:.0f} s"
        for seen in callers
        if now - max(seen.ts, watched_since) >= rule.over
    }


def described(subject: Subject) -> str:
    """The subject in words: "host 10.0.0.5:8080 of module (1, 1)"."""
    return " of ".join(_parts(subject))


def _parts(subject: Subject) -> Iterator[str]:
    if subject.caller:
        yield f"caller {format_ip(subject.caller)}"
    if subject.port:
        yield f"host {HostAddress(subject.ip, subject.port)}"
    if subject.modid or subject.cmdid:
        yield f"module {ModuleId(subject.modid, subject.cmdid)}"
