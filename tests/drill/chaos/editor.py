"""Edits routes by the API of lars-web, over and over, and notes of each what became of it."""

import http.client
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.drill.fleet import Module
from tests.drill.services import WEB_PORT

TIMEOUT = 5.0
"""Seconds after which the answer to an edit is no longer waited for."""

PAUSE = 0.3
"""Seconds between two edits."""


@dataclass(frozen=True, slots=True)
class RouteEdit:
    """One edit: a host that no other edit adds, or one that is removed for good.

    Attributes:
        module: the module.
        host: ADDRESS:PORT.
        adds: whether it is added; otherwise it is removed.
        sent, ended: monotonic seconds.
        confirmed: whether the answer said that it was made. Otherwise it may have been made, or not.
    """

    module: Module
    host: str
    adds: bool
    sent: float
    ended: float
    confirmed: bool

    @property
    def which(self) -> tuple[Module, str]:
        """The module and the host."""
        return self.module, self.host


class Editor:
    """A program that edits modules which nobody calls, by any lars-web that answers.

    Args:
        webs: the addresses of the lars-web services.
        token: of an editor.
        modules: those that it edits.
        seed: decides on the edits.
    """

    def __init__(self, webs: Sequence[str], token: str, modules: Sequence[Module], seed: int) -> None:
        self._webs = webs
        self._token = token
        self._modules = modules
        self._rng = random.Random(seed)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._edit)
        self._sure: list[tuple[Module, str]] = []
        self.edits: list[RouteEdit] = []
        self.refusals: list[str] = []
        """Answers that are neither a success nor a fault of the server."""

    def start(self) -> None:
        """Begins to edit."""
        self._thread.start()

    def end(self) -> None:
        """Ends after the edit that is under way."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _edit(self) -> None:
        number = 0
        while not self._ended.wait(PAUSE):
            number += 1
            if self._sure and self._rng.random() < 0.4:
                module, host = self._sure.pop(self._rng.randrange(len(self._sure)))
                self._send("DELETE", module, host)
            else:
                module, host = self._rng.choice(self._modules), f"10.99.{number >> 8}.{number & 255}:80"
                if self._send("PUT", module, host):
                    self._sure.append((module, host))

    def _send(self, method: str, module: Module, host: str) -> bool:
        sent = time.monotonic()
        web = self._rng.choice(self._webs)
        connection = http.client.HTTPConnection(web, WEB_PORT, timeout=TIMEOUT)
        try:
            path = f"/api/v1/modules/{module[0]}/{module[1]}/hosts/{host}"
            connection.request(method, path, headers={"Authorization": f"Bearer {self._token}"})
            response = connection.getresponse()
            body = response.read()
            confirmed = response.status < 300
            if 300 <= response.status < 500:
                self.refusals.append(f"{method} {path}: {response.status} {json.loads(body or b'{}').get('detail')}")
        except (OSError, http.client.HTTPException):
            confirmed = False
        finally:
            connection.close()
        self.edits.append(RouteEdit(module, host, method == "PUT", sent, time.monotonic(), confirmed))
        return confirmed
