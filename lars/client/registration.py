"""A process that puts itself into a module's route at lars-web, and takes itself out (docs/design/client.md,
self-registration).

It needs neither the agent nor anything besides the standard library.
"""

import atexit
import http.client
import json
import logging
import os
import random
import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from lars.errors import LarsError, SettingsError
from lars.route import module_id, parse_port, serving_host

TOKEN_VARIABLE = "LARS_TOKEN"
"""The environment variable of the token, if the program gives none."""

DEFAULT_TTL = 15
"""Default: seconds for which lars-web keeps a host that no longer renews."""

MIN_TTL, MAX_TTL = 3, 86_400

RENEWALS = 3
"""Renewals in a ttl, so that one or two may be lost."""

_log = logging.getLogger("lars.client")


class RegistrationRefused(LarsError):
    """lars-web refuses to register the host: the token, the module or the host is wrong."""


class _Unreachable(Exception):
    """lars-web cannot be asked now; the text says why."""


class Registration:
    """A host of a module for as long as the block, or until `close`; a thread of its own renews the lease.

        with Registration("http://lars-web:7780", 1, 1, port=8080):
            serve()

    Enter it when the port answers. `close`, the end of the block and the end of the program take the host out; where
    nothing can (kill -9), its lease ends. SIGTERM ends a Python program without any of these, unless it handles it:
    `lars register` does. The child of a fork has no part in it: the parent renews, and takes itself out.

    Args:
        url: lars-web's, such as "http://lars-web:7780".
        modid: the business.
        cmdid: its function.
        port: where this process serves, 1 to 65535.
        ip: the dotted IPv4 address of this machine for callers; by default that from which lars-web is reached.
        ttl: seconds, 3 to 86,400, for which lars-web keeps a host that no longer renews.
        token: an editor's; by default the environment's LARS_TOKEN.
        timeout: seconds for each request to lars-web.
        context: for https; by default one that checks the certificate.

    Raises SettingsError for arguments that cannot be used, and InvalidRoute for a module or host that cannot exist.
    """

    def __init__(
        self,
        url: str,
        modid: int,
        cmdid: int,
        *,
        port: int,
        ip: str | None = None,
        ttl: int = DEFAULT_TTL,
        token: str | None = None,
        timeout: float = 5.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        place = urlsplit(url)
        if place.scheme not in ("http", "https") or not place.hostname:
            raise SettingsError(f"{url!r} is not the URL of lars-web: write it as http://127.0.0.1:7780")
        if not MIN_TTL <= ttl <= MAX_TTL:
            raise SettingsError(f"ttl {ttl} is out of range: give seconds from {MIN_TTL} to {MAX_TTL}")
        token = token or os.environ.get(TOKEN_VARIABLE)
        if not token:
            raise SettingsError(f"no token for lars-web: give one with the role register, or set {TOKEN_VARIABLE}")
        self._secure = place.scheme == "https"
        self._web = place.hostname
        self._web_port = place.port or (443 if self._secure else 80)
        self._timeout = timeout
        self._context = context
        self._headers = {"Authorization": f"Bearer {token}", "Content-Length": "0"}
        self.module = module_id(modid, cmdid)
        self.host = serving_host(f"{ip or self._own_ip()}:{parse_port(str(port))}")
        self._path = f"{place.path.rstrip('/')}/api/v1/modules/{modid}/{cmdid}/hosts/{self.host}"
        self._ttl = ttl
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self.registered = False
        """Whether lars-web took the last request."""

    def _own_ip(self) -> str:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((self._web, self._web_port))  # sends nothing
                return str(probe.getsockname()[0])
        except OSError as error:
            raise SettingsError(
                f"the address of this machine cannot be found by {self._web} ({error.strerror or error}): give ip"
            ) from None

    def start(self) -> None:
        """Registers the host, and renews it from now on.

        Raises RegistrationRefused. Where lars-web cannot be reached, or its database cannot, that is logged, and tried
        again until it can: a service starts without it.
        """
        if self._thread is not None:
            return
        self._pid = os.getpid()
        self._ending.clear()
        try:
            self._put()
        except _Unreachable as error:
            self._missed(str(error))
        atexit.register(self.close)
        self._thread = threading.Thread(target=self._renew, name="lars.registration", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Takes the host out, within two timeouts. Where that cannot be done it is logged, and the lease ends."""
        thread, self._thread = self._thread, None
        if thread is None or os.getpid() != self._pid:
            return
        atexit.unregister(self.close)
        self._ending.set()
        thread.join(self._timeout + 1)  # a renewal under way must not come after the removal
        self.registered = False
        try:
            status, text = self._ask("DELETE", self._path)
        except _Unreachable as error:
            _log.warning("%s is not taken out of module %s; its lease ends: %s", self.host, self.module, error)
            return
        if status >= 300:
            _log.warning("%s is not taken out of module %s: %s", self.host, self.module, text)

    def _renew(self) -> None:
        while not self._ending.wait(self._ttl / RENEWALS * random.uniform(0.8, 1.0)):
            try:
                self._put()
            except (_Unreachable, RegistrationRefused) as error:
                self._missed(str(error))

    def _put(self) -> None:
        status, text = self._ask("PUT", f"{self._path}?ttl={self._ttl}")
        if status in (429, 500, 502, 503, 504):
            raise _Unreachable(text)
        if status >= 300:
            raise RegistrationRefused(f"lars-web does not register {self.host} in module {self.module}: {text}")
        if not self.registered:
            _log.info("%s is registered in module %s", self.host, self.module)
        self.registered = True

    def _missed(self, why: str) -> None:
        if self.registered or self._thread is None:
            _log.warning("%s is not registered in module %s; trying again: %s", self.host, self.module, why)
        self.registered = False

    def _ask(self, method: str, path: str) -> tuple[int, str]:
        """Status and, of a refusal, what lars-web says. Raises _Unreachable."""
        connection: http.client.HTTPConnection
        if self._secure:
            connection = http.client.HTTPSConnection(
                self._web, self._web_port, timeout=self._timeout, context=self._context
            )
        else:
            connection = http.client.HTTPConnection(self._web, self._web_port, timeout=self._timeout)
        try:
            connection.request(method, path, headers=self._headers)
            answer = connection.getresponse()
            body = answer.read(65_536)
        except (OSError, http.client.HTTPException) as error:
            raise _Unreachable(f"lars-web at {self._web}:{self._web_port} does not answer ({error})") from None
        finally:
            connection.close()
        detail = ""
        with suppress(ValueError, AttributeError):
            detail = str(json.loads(body).get("detail") or "")
        return answer.status, f"{answer.status} {answer.reason}{': ' if detail else ''}{detail}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
