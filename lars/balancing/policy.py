"""The interface of a load-balancing policy: what its callers may ask of it.

The shape is that of gRPC's Picker and Balancer (grpc-go, balancer/balancer.go): picking is separate from the report of
how a call went, and a policy keeps its own record of each host. A policy is chosen, never subclassed by a caller.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, Generic

from lars.balancing.gathered import Gathered
from lars.balancing.host import H, HostExplanation, HostState, HostView, StateChange


class Policy(ABC, Generic[H]):
    """The hosts of one module and the rule by which they get calls. `now` is in seconds, monotonic.

    Attributes:
        name: the name by which it was chosen (policies.NAMES); empty where it was made without one.
        revision: another number whenever the hosts or a host's state may have changed.
        takes_checks: whether health checks apply; if not, the methods about them do nothing.
        wants_times: whether a caller should find out by itself what a call cost whose report does not say so.
    """

    __slots__ = ("name", "revision")

    takes_checks: ClassVar[bool] = False
    wants_times: ClassVar[bool] = True

    def __init__(self) -> None:
        self.name = ""
        self.revision = 0

    @abstractmethod
    def rebuild(self, hosts: Iterable[H], now: float) -> None:
        """Replaces the route. New hosts join, missing ones leave, the others keep their state and counts.

        A host is recognized by identity: the caller passes the same object for the same host.
        """

    def carry_over(self, ejected: Iterable[H], now: float) -> None:
        """Ejects hosts of the route that the policy before this one had ejected; that is no change of state."""
        return

    @abstractmethod
    def pick(self, key: int, now: float, source: int = 0) -> H | None:
        """The host for the next call, or None when the call should not be made.

        Args:
            key: what the call is about, for policies that keep calls of one key at one host; 0 for none.
            now: the time of the call.
            source: which of several callers makes it; 0 if that is not known.
        """

    @abstractmethod
    def report(self, host: H, failed: bool, cost: float, now: float, source: int = 0) -> None:
        """Counts one call to a host of the route.

        Args:
            host: the host.
            failed: whether the call failed.
            cost: its duration in seconds, 0 where unknown.
            now: the time.
            source: which of several callers reports it, none of which may eject a host alone; 0 for one that may.
        """

    @abstractmethod
    def sweep(self, now: float) -> list[StateChange[H]]:
        """Runs what depends on time alone, so that silence heals too. Returns the changes since the last sweep."""

    @property
    @abstractmethod
    def ejected(self) -> int:
        """The number of hosts that are ejected."""

    @abstractmethod
    def states(self) -> Mapping[H, HostState]:
        """The state of each host, hosts that have been there for longer first."""

    def weights(self) -> list[int]:
        """The weights by which a client may balance its own calls, in the order of `states`."""
        return [host.weight for host in self.states()]

    @abstractmethod
    def explain(self, now: float, first: int = 0, most: int | None = None) -> list[HostExplanation]:
        """What it knows of each host and how it would choose now, in the order of `states`. Changes nothing.

        Args:
            now: the time.
            first: hosts to pass over.
            most: hosts to return at most; None for all.
        """

    @abstractmethod
    def views(self, healthy: bool = True) -> Iterator[HostView[H]]:
        """How it sees each host, in the order of `states`; cheaper than `explain`. Changes nothing.

        Without `healthy` hosts it is cheaper still: a module may have 4,000.
        """

    def calls_passed(self, calls: int, now: float) -> None:
        """Notes calls for which hosts were picked elsewhere, so that what is counted in calls goes on for them too."""
        return

    def use_locality(self, zone: str, overprovisioning: float) -> None:
        """Prefers hosts of a zone (docs/design/balancing.md, locality); none if it is empty."""
        return

    def use_checks(self, gated: bool, panics: bool) -> None:
        """Sets the rules of health checks.

        Args:
            gated: whether an ejected host must pass its checks before a call probes it.
            panics: whether all hosts take calls where none is healthy; otherwise none does.
        """
        return

    def end_checks(self) -> None:
        """Forgets what health checks have said: from now on there are none."""
        return

    def doubtful(self) -> list[H]:
        """The hosts that are ejected, or whose health checks fail."""
        return []

    def takes_calls(self, host: H) -> bool:
        """Whether a host of the route is neither ejected nor unhealthy, or takes calls all the same."""
        return self.states()[host] is HostState.HEALTHY

    def check_failed(self, host: H, what: str, evidence: str = "") -> None:
        """Takes a host out of rotation, or keeps it out, because its health checks fail.

        Args:
            host: the host.
            what: what is wrong, in a few words: ASCII, such as "http 503".
            evidence: what decided, for the log line; without it, a host that takes calls goes on to do so.
        """
        return

    def check_passed(self, host: H) -> None:
        """Takes it that enough health checks of a host have passed in a row."""
        return

    def slow(self) -> Mapping[H, float]:
        """The hosts of which one call counts as more than one, because they are slow, and as how many."""
        return {}

    def silent(self, host: H) -> None:
        """Notes that a call to the host, made elsewhere, takes much longer than calls do and has not ended."""
        return

    @abstractmethod
    def report_gathered(self, host: H, gathered: Gathered, now: float, before_failure: bool = False) -> None:
        """Counts successful calls that were gathered elsewhere, at a cost that does not grow with their number.

        Args:
            host: the host.
            gathered: the calls.
            now: the time.
            before_failure: whether they may be older than a failure that was reported before.
        """
