"""A C++ reporter as a test peer: a process that reads reports, and never sends a byte.

It writes a line for each report of calls: `report MODID succ=N err=N`.
"""

import socket
import sys
from threading import Thread

from lars.wire.frames import FrameDecoder
from tests.unit.wire.cpp_peer import cpp_message


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _read(connection: socket.socket) -> None:
    """Reads with the original's declarations, and skips whatever else comes, as the original does."""
    decoder = FrameDecoder()
    declared = cpp_message("ReportStatusRequest")
    while data := connection.recv(2**16):
        for message_id, body in decoder.feed(data):
            report = declared.FromString(body) if message_id == 3 else None
            if report is not None and report.results:
                succ, err = (sum(getattr(result, name) for result in report.results) for name in ("succ", "err"))
                _say(f"report {report.modid} {succ=} {err=}")


def main(port: int) -> None:
    """Serves on a port of 127.0.0.1 until it is killed."""
    cpp_message("ReportStatusRequest")  # compiled before the first report comes
    listening = socket.create_server(("127.0.0.1", port))
    _say(f"answers on {port}")
    while True:
        connection, _peer = listening.accept()
        Thread(target=_read, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]))
