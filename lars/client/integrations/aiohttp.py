"""aiohttp: a middleware that sends http://1.1.lars/… to a host of module (1, 1), and reports how it went.

    async with aiohttp.ClientSession(middlewares=[LarsMiddleware(client)]) as session:
        async with session.get("http://1.1.lars/") as answer: ...

A resolver would choose a host for each connection, and so for all the requests that share it; a middleware chooses for
each request. See docs/integrations.md, HTTP.
"""

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from aiohttp.payload import BytesPayload

from lars.client.asyncio import LarsClient
from lars.client.call import Timed
from lars.client.host import Host
from lars.client.integrations.attempts import (
    DEFAULT_ATTEMPTS,
    IDEMPOTENT,
    IsFailure,
    bare_name,
    checked_attempts,
    choose_async,
    module_of,
    server_error,
)
from lars.errors import LarsError

_FAILURES = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, aiohttp.ClientResponseError, TimeoutError)


class LarsUnavailable(aiohttp.ClientConnectionError):
    """Lars has no host for a request; `__cause__` is the error of LarsClient."""


class LarsMiddleware:
    """Sends requests for MODID.CMDID.lars to the hosts of that module, and all others to where they go.

    The time of a call ends when the headers of its answer are there. A timeout of the whole request
    (aiohttp.ClientTimeout.total) cancels it, which says nothing about the host: give `sock_connect` and `sock_read`.

    Args:
        client: asks the agent; the program closes it.
        attempts: hosts to try for a request that may be sent again.
        is_failure: whether a status is a failure of the host; by default 500 and above are.

    Raises SettingsError if `attempts` is less than 1. Requests raise LarsUnavailable where Lars has no host.
    """

    def __init__(
        self, client: LarsClient, *, attempts: int = DEFAULT_ATTEMPTS, is_failure: IsFailure = server_error
    ) -> None:
        self._client = client
        self._attempts = checked_attempts(attempts)
        self._is_failure = is_failure

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends one request; called by aiohttp."""
        name = request.url.host or ""
        try:
            module = module_of(name)
        except LarsError as error:
            raise LarsUnavailable(str(error)) from error
        if module is None:
            return await handler(request)
        url = request.url
        if request.is_ssl() and request.server_hostname is None:
            request.server_hostname = bare_name(request.headers["Host"])
        request.proxy = None  # no proxy knows the name
        tried: list[Host] = []
        try:
            while True:
                try:
                    host = await choose_async(self._client, module, tried)
                except LarsError as error:
                    raise LarsUnavailable(str(error)) from error
                tried.append(host)
                call = Timed(self._client.report, _FAILURES)
                call.begin(host)
                request.url = url.with_host(host.ip).with_port(host.port)
                try:
                    response = await handler(request)
                except BaseException as error:
                    call.end(error)
                    if not self._may_repeat(request, len(tried), call, error):
                        raise
                    continue
                if self._is_failure(response.status):
                    call.fail(response.status)
                call.end(None)
                if not self._may_repeat(request, len(tried), call, None):
                    return response
                response.close()
        finally:
            request.url = url

    def _may_repeat(self, request: ClientRequest, tries: int, call: Timed, error: BaseException | None) -> bool:
        if not call.failed or tries >= self._attempts:
            return False
        if isinstance(error, aiohttp.ClientConnectorError):
            return True  # not sent
        return request.method in IDEMPOTENT and isinstance(request.body, bytes | BytesPayload)
