"""What an ejecting policy keeps about one host: evidence, load and latency."""

from typing import Generic

from lars.balancing.host import H


class Record(Generic[H]):
    """One host's record. Times are on the module's clock (Ejection.clock), in seconds.

    Attributes:
        host: the host.
        routed: its weight in the route; 0 while it takes no calls because it is drained.
        weight: its share of calls relative to the others, with locality; 0 while others take all.
        scale: the mean weight of the eligible hosts divided by its own.
        in_flight: calls picked and not reported.
        good, bad: successful and failed calls, decaying.
        failures: failed calls in a row.
        accuser, lead: the source that has reported most of these, if it may not eject alone, and by how many more than
            all others (Ejection.failed); 0 if there is none.
        bad_accuser, bad_lead: the same of `bad`.
        pain: calls that a recent failure counts as, on top of those in flight; 0 when all is well.
        latency: seconds that its calls take, smoothed; 0 while unknown.
        penalty: how often longer than the module's calls its calls take, 1 or more.
        ejected: whether it gets probes only, or nothing.
        blamed: whether it is ejected by its calls; what only checks have ejected, they alone bring back.
        evidence: the failures for which its calls ejected it, in a few words; empty if they did not.
        unhealthy: what its health checks say is wrong; empty if nothing.
        vouched: whether they have passed since it was ejected, so that a call may probe it.
        failed_slowly: whether its last failure while ejected, or the one that ejected it, was slow.
        stale: calls in flight from before it was ejected, whose results say nothing new.
        strikes: how often it was ejected and probed in vain; doubles the time to the next probe.
        probe_at: when its next probe is due.
        deadline: when, in real time, it is probed in any case.
        joined_at: when it joined or was restored; its share grows from then on.
        leak: fraction of a call in flight that is about to be forgotten.
    """

    __slots__ = (
        "accuser",
        "bad",
        "bad_accuser",
        "bad_lead",
        "blamed",
        "deadline",
        "ejected",
        "evidence",
        "failed_slowly",
        "failures",
        "good",
        "host",
        "in_flight",
        "joined_at",
        "latency",
        "lead",
        "leak",
        "pain",
        "penalty",
        "probe_at",
        "routed",
        "scale",
        "stale",
        "strikes",
        "unhealthy",
        "vouched",
        "weight",
    )

    def __init__(self, host: H, joined_at: float) -> None:
        self.host = host
        self.weight: float = 0
        self.routed = 0
        self.scale = 1.0
        self.joined_at = joined_at
        self.good = self.bad = self.pain = self.latency = self.leak = self.probe_at = self.deadline = 0.0
        self.bad_lead = self.lead = 0.0
        self.accuser = self.bad_accuser = self.in_flight = self.failures = self.stale = self.strikes = 0
        self.penalty = 1.0
        self.ejected = self.failed_slowly = self.blamed = self.vouched = False
        self.evidence = self.unhealthy = ""
