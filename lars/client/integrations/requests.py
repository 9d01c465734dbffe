"""requests: an adapter that sends http://1.1.lars/… to a host of module (1, 1), and reports how it went.

>>> import requests
>>> from lars.client.integrations.requests import mount
>>> session = mount(requests.Session())
>>> session.get("http://1.1.lars/", timeout=2).status_code
200

See docs/integrations.md, HTTP.
"""

import threading
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

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
    module_of,
    server_error,
)
from lars.errors import LarsError

_FAILURES = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
"""Errors of requests that are failures of the host; all others are the program's own."""


def _unsent(error: BaseException | None) -> bool:
    """Whether no connection was made, so that any request may be sent to another host."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def mount(session: requests.Session, adapter: "LarsAdapter | None" = None) -> requests.Session:
    """Has a session send http:// and https:// by the adapter, by default a new one; returns the session."""
    adapter = adapter or LarsAdapter()
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session


class LarsAdapter(HTTPAdapter):
    """Sends requests for MODID.CMDID.lars to the hosts of that module, and all others to where they go.

    Args:
        client: asks the agent; by default one of its own.
        attempts: hosts to try for a request that may be sent again.
        is_failure: whether a status is a failure of the host; by default 500 and above are.
        options: those of requests.adapters.HTTPAdapter.

    Raises SettingsError if `attempts` is less than 1, or as LarsClient. Requests raise requests.ConnectionError where
    Lars has no host; its `__cause__` is the error of LarsClient.
    """

    def __init__(
        self,
        client: LarsClient | None = None,
        *,
        attempts: int = DEFAULT_ATTEMPTS,
        is_failure: IsFailure = server_error,
        **options: Any,
    ) -> None:
        self._attempts = checked_attempts(attempts)
        self._is_failure = is_failure
        self._client = client or LarsClient()
        self._owns_client = client is None
        self._chosen = threading.local()  # from `send` to `build_connection_pool_key_attributes`, in one thread
        super().__init__(**options)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Sends one request; called by requests.Session."""
        url = urlsplit(str(request.url))
        try:
            module = module_of(url.hostname or "")
        except LarsError as error:
            raise requests.ConnectionError(str(error), request=request) from error
        if module is None:
            return super().send(request, stream, timeout, verify, cert, proxies)
        request.headers.setdefault("Host", url.netloc.rpartition("@")[2])
        tried: list[Host] = []
        while True:
            try:
                host = choose(self._client, module, tried)
            except LarsError as error:
                raise requests.ConnectionError(str(error), request=request) from error
            tried.append(host)
            call = Timed(self._client.report, _FAILURES)
            call.begin(host)
            self._chosen.host = host
            try:
                response = super().send(request, stream, timeout, verify, cert, None)  # no proxy knows the name
            except BaseException as error:
                call.end(error)
                if not self._may_repeat(request, len(tried), call, error):
                    raise
                continue
            finally:
                self._chosen.host = None
            if self._is_failure(response.status_code):
                call.fail(response.status_code)
            call.end(None)
            if not self._may_repeat(request, len(tried), call, None):
                return response
            response.close()

    def _may_repeat(
        self, request: requests.PreparedRequest, tries: int, call: Timed, error: BaseException | None
    ) -> bool:
        if not call.failed or tries >= self._attempts or not isinstance(request.body, str | bytes | None):
            return False
        return request.method in IDEMPOTENT or _unsent(error)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        """The address to connect to: the host that was chosen. TLS checks the name of the Host header."""
        host_params: dict[str, Any]
        pool_kwargs: dict[str, Any]
        host_params, pool_kwargs = map(dict, super().build_connection_pool_key_attributes(request, verify, cert))
        host: Host | None = getattr(self._chosen, "host", None)
        if host is not None:
            host_params.update(host=host.ip, port=host.port)
            if host_params["scheme"] == "https":
                name = bare_name(str(request.headers["Host"]))
                pool_kwargs.update(server_hostname=name, assert_hostname=name)
        return host_params, pool_kwargs

    def close(self) -> None:
        """Closes the connections; called by requests.Session."""
        super().close()
        if self._owns_client:
            self._client.close()
