"""httpx: transports that send http://1.1.lars/… to a host of module (1, 1), and report how it went.

>>> import httpx
>>> from lars.client.integrations.httpx import LarsTransport
>>> with httpx.Client(transport=LarsTransport()) as http:
...     print(http.get("http://1.1.lars/").status_code)
200

See docs/integrations.md, HTTP.
"""

from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from typing import Any

import httpx

from lars.client.asyncio import LarsClient as AsyncLarsClient
from lars.client.blocking import LarsClient
from lars.client.call import Timed
from lars.client.host import Host
from lars.client.integrations.attempts import (
    DEFAULT_ATTEMPTS,
    IDEMPOTENT,
    IsFailure,
    bare_name,
    checked_attempts,
    choose,
    choose_async,
    module_of,
    server_error,
)
from lars.errors import LarsError
from lars.route import ModuleId

_NOT_THE_HOSTS = (httpx.PoolTimeout, httpx.LocalProtocolError, httpx.UnsupportedProtocol)
"""Errors of httpx that say nothing about the host."""

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout)
"""Errors after which any request may be sent to another host: no connection was made."""


def _fails_host(error: Exception) -> bool:
    return isinstance(error, httpx.TransportError) and not isinstance(error, _NOT_THE_HOSTS)


@lru_cache(4096)
def _origin(scheme: str, host: Host) -> httpx.URL:
    return httpx.URL(f"{scheme}://{host}/")


class _Routing:
    """What both transports do with a request besides waiting."""

    def __init__(self, attempts: int, is_failure: IsFailure) -> None:
        self._attempts = checked_attempts(attempts)
        self.is_failure = is_failure

    def module(self, request: httpx.Request) -> ModuleId | None:
        """The module of a request; None for any other name."""
        try:
            return module_of(request.url.host)
        except LarsError as error:
            raise httpx.ConnectError(str(error), request=request) from error

    def may_repeat(self, request: httpx.Request, tries: int, call: Timed, error: BaseException | None) -> bool:
        """Whether a request whose call failed, by an answer or this error, is sent to another host."""
        if not call.failed or tries >= self._attempts or not isinstance(request.stream, httpx.ByteStream):
            return False
        return request.method in IDEMPOTENT or isinstance(error, _UNSENT)


def _addressed(request: httpx.Request, host: Host, transport: object) -> httpx.Request:
    """The request for this host; Host header and the TLS server's name stay those of the module's name.

    httpx's own transports take the path apart from the URL, which takes less time than to make another URL.
    """
    url = request.url
    extensions: dict[str, Any] = request.extensions
    if url.scheme == "https" and "sni_hostname" not in extensions:
        extensions = {**extensions, "sni_hostname": bare_name(request.headers["Host"])}
    to = _origin(url.scheme, host)
    if isinstance(transport, httpx.HTTPTransport | httpx.AsyncHTTPTransport):
        extensions = {**extensions, "target": url.raw_path}
    else:
        to = to.copy_with(raw_path=url.raw_path)
    return httpx.Request(
        request.method,
        to,
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )


class LarsTransport(httpx.BaseTransport):
    """Sends requests for MODID.CMDID.lars to the hosts of that module, and all others to where they go.

    Threads may share it, as they may an httpx.Client.

    Args:
        client: asks the agent; by default one of its own.
        transport: what sends the requests; by default an httpx.HTTPTransport.
        attempts: hosts to try for a request that may be sent again.
        is_failure: whether a status is a failure of the host; by default 500 and above are.

    Raises SettingsError if `attempts` is less than 1, or as LarsClient. Requests raise httpx.ConnectError where Lars
    has no host; its `__cause__` is the error of LarsClient.
    """

    def __init__(
        self,
        client: LarsClient | None = None,
        transport: httpx.BaseTransport | None = None,
        *,
        attempts: int = DEFAULT_ATTEMPTS,
        is_failure: IsFailure = server_error,
    ) -> None:
        self._routing = _Routing(attempts, is_failure)
        self._client = client or LarsClient()
        self._owns_client = client is None
        self._transport = transport or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends one request; called by httpx.Client."""
        module = self._routing.module(request)
        if module is None:
            return self._transport.handle_request(request)
        tried: list[Host] = []
        while True:
            try:
                host = choose(self._client, module, tried)
            except LarsError as error:
                raise httpx.ConnectError(str(error), request=request) from error
            tried.append(host)
            call = Timed(self._client.report, _fails_host)
            call.begin(host)
            try:
                response = self._transport.handle_request(_addressed(request, host, self._transport))
            except BaseException as error:
                call.end(error)
                if not self._routing.may_repeat(request, len(tried), call, error):
                    raise
                continue
            if not self._routing.is_failure(response.status_code):
                response.stream = _Stream(response.stream, call)
                return response
            call.fail(response.status_code)
            call.end(None)
            if not self._routing.may_repeat(request, len(tried), call, None):
                return response
            response.close()

    def close(self) -> None:
        """Closes the connections; called by httpx.Client."""
        self._transport.close()
        if self._owns_client:
            self._client.close()


class LarsAsyncTransport(httpx.AsyncBaseTransport):
    """The same for httpx.AsyncClient on asyncio; `client` is a lars.client.asyncio.LarsClient."""

    def __init__(
        self,
        client: AsyncLarsClient | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        attempts: int = DEFAULT_ATTEMPTS,
        is_failure: IsFailure = server_error,
    ) -> None:
        self._routing = _Routing(attempts, is_failure)
        self._client = client or AsyncLarsClient()
        self._owns_client = client is None
        self._transport = transport or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends one request; called by httpx.AsyncClient."""
        module = self._routing.module(request)
        if module is None:
            return await self._transport.handle_async_request(request)
        tried: list[Host] = []
        while True:
            try:
                host = await choose_async(self._client, module, tried)
            except LarsError as error:
                raise httpx.ConnectError(str(error), request=request) from error
            tried.append(host)
            call = Timed(self._client.report, _fails_host)
            call.begin(host)
            try:
                response = await self._transport.handle_async_request(_addressed(request, host, self._transport))
            except BaseException as error:
                call.end(error)
                if not self._routing.may_repeat(request, len(tried), call, error):
                    raise
                continue
            if not self._routing.is_failure(response.status_code):
                response.stream = _AsyncStream(response.stream, call)
                return response
            call.fail(response.status_code)
            call.end(None)
            if not self._routing.may_repeat(request, len(tried), call, None):
                return response
            await response.aclose()

    async def aclose(self) -> None:
        """Closes the connections; called by httpx.AsyncClient."""
        await self._transport.aclose()
        if self._owns_client:
            self._client.close()


class _Body:
    """The end of a response: its call ends with the body, at the time at which the headers came."""

    def __init__(self, call: Timed) -> None:
        self._call: Timed | None = call
        call.stop()

    def ended(self, error: BaseException | None) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.end(error)


class _Stream(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream, call: Timed) -> None:
        assert isinstance(stream, httpx.SyncByteStream)
        self._stream = stream
        self._body = _Body(call)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except Exception as error:
            self._body.ended(error)
            raise

    def close(self) -> None:
        self._body.ended(None)
        self._stream.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream, call: Timed) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)
        self._stream = stream
        self._body = _Body(call)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                yield part
        except Exception as error:
            self._body.ended(error)
            raise

    async def aclose(self) -> None:
        self._body.ended(None)
        await self._stream.aclose()
