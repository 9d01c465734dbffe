"""An HTTP client of lars-gateway: `python -m bench.load.gateway_http PORT SECONDS`.

One keep-alive connection on a plain socket, so that the client costs little: a host, and the report of its call.
Prints JSON: cycles, seconds, and the seconds of each cycle.
"""

import json
import socket
import sys
import time

GET = b"GET /v1/modules/1/1/host HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n"
POST = (
    b"POST /v1/modules/1/1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b"
)


def body_of(answer: bytes) -> dict[str, object]:
    """The JSON of an answer, which must have been 200."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"lars-gateway answered {head!r}")
    found: dict[str, object] = json.loads(body)
    return found


def main() -> None:
    """Makes cycles for a while and prints what came of them."""
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    samples = []
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = now = time.perf_counter()
        while now - began < seconds:
            sock.sendall(GET)
            host = body_of(sock.recv(65_536))["host"]
            report = json.dumps({"host": host, "retcode": 0, "cost": 0.01}).encode()
            sock.sendall(POST % (len(report), report))
            if body_of(sock.recv(65_536))["reported"] != 1:
                raise SystemExit("lars-gateway did not take a report")
            before, now = now, time.perf_counter()
            samples.append(now - before)
    json.dump({"cycles": len(samples), "seconds": now - began, "samples": samples}, sys.stdout)


if __name__ == "__main__":
    main()
