"""The lars-dns that is measured."""

import socket
import time

from bench.processes.waiting import until
from bench.services.dns_client import Answer, answers, ask
from bench.services.lars_service import MeasuredService
from lars.route import ModuleId


class LarsDns(MeasuredService):
    """lars-dns on a database."""

    def __init__(self, url: str, poll_interval: float = 1.0, *options: str) -> None:
        super().__init__("lars-dns", "--db", url, "--poll-interval", f"{poll_interval:g}", *options)

    def until_answering(self, module: ModuleId, deadline: float) -> tuple[float, Answer]:
        """Waits until it answers for a module; the time (monotonic) of that, and the answer."""

        def connected() -> socket.socket | None:
            self.require_running()
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1)
            except OSError:
                return None

        with until(connected, "lars-dns to listen", deadline) as sock:
            sock.settimeout(deadline)
            frame = ask(sock, module)
            answered = time.monotonic()
        return answered, next(answers(frame))

    def frame_size(self, module: ModuleId) -> int:
        """The size of the frame that answers for a module: the same for all that bench.load.routes makes."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as sock:
            return len(ask(sock, module))
