"""gRPC: a channel whose calls each go to a host of module (1, 1), and are reported.

    channel = LarsChannel(client, 1, 1)
    GreeterStub(channel).SayHello(request)

gRPC's own balancing knows neither ejections nor the calls of other processes, and Python has no interface for
resolvers. So there is a channel of gRPC's for each host, and Lars chooses for each call
(docs/integrations.md, gRPC).
"""

from collections.abc import Callable
from typing import Any

import grpc

from lars.client.blocking import LarsClient
from lars.client.call import Timed
from lars.client.host import Host
from lars.client.integrations.attempts import checked_attempts, choose
from lars.client.integrations.pool import Entry, HostPool
from lars.errors import LarsError

FAILURES = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""Default of what is a failure of the host; the others are answers, such as NOT_FOUND."""


class NoHost(grpc.RpcError):
    """Lars has no host for a call; `__cause__` is the error of LarsClient. Its code is UNAVAILABLE."""

    def code(self) -> grpc.StatusCode:
        """As that of other errors of gRPC."""
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        """The text."""
        return str(self)


class LarsChannel(grpc.Channel):
    """A channel to the hosts of a module, for stubs; the host is chosen for each call.

    Args:
        client: asks the agent; the program closes it, after the channel.
        modid: the business.
        cmdid: its function.
        open_channel: makes the channel to "IP:PORT"; by default grpc.insecure_channel. With TLS, give
            grpc.ssl_target_name_override as the name in the certificate.
        failures: the codes that are a failure of the host.
        repeatable: the full names of unary methods that may be sent twice, such as "/shop.Stock/Read": they are tried
            with up to `attempts` hosts.
        attempts: hosts to try for these.
    """

    def __init__(
        self,
        client: LarsClient,
        modid: int,
        cmdid: int,
        *,
        open_channel: Callable[[str], grpc.Channel] = grpc.insecure_channel,
        failures: frozenset[grpc.StatusCode] = FAILURES,
        repeatable: frozenset[str] = frozenset(),
        attempts: int = 3,
    ) -> None:
        pool = HostPool(client, modid, cmdid, lambda host: open_channel(str(host)), _close)
        self._calls = _Calls(client, pool, failures)
        self._repeatable = repeatable
        self._attempts = checked_attempts(attempts)

    def unary_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        """For stubs."""
        attempts = self._attempts if method in self._repeatable else 1
        return _UnaryUnary(self._calls, "unary_unary", (method, *arguments), options, attempts)

    def unary_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        """For stubs."""
        return _Streamed(self._calls, "unary_stream", (method, *arguments), options)

    def stream_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        """For stubs."""
        return _UnaryUnary(self._calls, "stream_unary", (method, *arguments), options, 1)

    def stream_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        """For stubs."""
        return _Streamed(self._calls, "stream_stream", (method, *arguments), options)

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        """Does nothing: this channel has no connection of its own, and so no state."""

    def unsubscribe(self, callback: Any) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Closes the channels to all hosts, each when its calls have ended."""
        self._calls.pool.close()

    def __enter__(self) -> "LarsChannel":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _close(channel: grpc.Channel) -> None:
    channel.close()


class _Calls:
    """Begins calls on the channel of the host that Lars chooses, and reports how they end."""

    def __init__(self, client: LarsClient, pool: HostPool[grpc.Channel], failures: frozenset[grpc.StatusCode]) -> None:
        self.pool = pool
        self._client = client
        self._failures = failures

    def begin(self, tried: list[Host]) -> "_Started":
        """A call to a host that is in `tried` from now on."""
        try:
            host = choose(self._client, self.pool.module, tried)
        except LarsError as error:
            raise NoHost(str(error)) from error
        tried.append(host)
        entry = self.pool.acquire(host)
        timed = Timed(self._client.report, ())
        timed.begin(host)
        return _Started(self, timed, entry)

    def ended(self, started: "_Started", code: grpc.StatusCode | None) -> None:
        """The call has ended with a code; None: it was canceled, which says nothing of the host."""
        if code is not None and code is not grpc.StatusCode.CANCELLED:
            if code in self._failures:
                started.timed.fail(int(code.value[0]))
            started.timed.end(None)
        else:
            started.timed.end(_Canceled())
        self.pool.release(started.entry)


class _Canceled(Exception):
    """Ends a call without a result."""


class _Started:
    """A call under way."""

    __slots__ = ("_calls", "entry", "timed")

    def __init__(self, calls: _Calls, timed: Timed, entry: Entry[grpc.Channel]) -> None:
        self._calls = calls
        self.timed = timed
        self.entry = entry

    def multi_callable(self, kind: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """gRPC's own, of the host's channel."""
        return getattr(self.entry.made, kind)(*arguments, **options)

    def ended(self, call: Any) -> None:
        """Reports it; `call` is gRPC's, or its error."""
        self._calls.ended(self, call.code())


class _Method:
    """What both kinds share: the method as a stub names it."""

    def __init__(self, calls: _Calls, kind: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self._calls = calls
        self._kind = kind
        self._arguments = arguments
        self._options = options

    def _future(self, call: Callable[[Any], Any]) -> Any:
        """Begins a call that goes on; reported when it is done, in a thread of gRPC's."""
        started = self._calls.begin([])
        try:
            future = call(started.multi_callable(self._kind, self._arguments, self._options))
        except BaseException:
            self._calls.ended(started, None)
            raise
        future.add_done_callback(started.ended)
        return future


class _Streamed(_Method):
    """A method that answers with a stream."""

    def __call__(self, *request: Any, **options: Any) -> Any:
        return self._future(lambda method: method(*request, **options))


class _UnaryUnary(_Method):
    """A method that answers once."""

    def __init__(
        self, calls: _Calls, kind: str, arguments: tuple[Any, ...], options: dict[str, Any], attempts: int
    ) -> None:
        super().__init__(calls, kind, arguments, options)
        self._attempts = attempts

    def __call__(self, *request: Any, **options: Any) -> Any:
        return self.with_call(*request, **options)[0]

    def with_call(self, *request: Any, **options: Any) -> Any:
        """The answer, and gRPC's call."""
        tried: list[Host] = []
        while True:
            started = self._calls.begin(tried)
            method = started.multi_callable(self._kind, self._arguments, self._options)
            try:
                answer = method.with_call(*request, **options)
            except grpc.RpcError as error:
                started.ended(error)
                if not started.timed.failed or len(tried) >= self._attempts:
                    raise
            except BaseException:
                self._calls.ended(started, None)
                raise
            else:
                started.ended(answer[1])
                return answer

    def future(self, *request: Any, **options: Any) -> Any:
        """gRPC's call, whose answer comes later; never tried twice."""
        return self._future(lambda method: method.future(*request, **options))
