"""HTTP servers that are the hosts of a module; each does what a test says, and keeps what it was asked."""

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLOW = 0.2


class HttpHost:
    """A server on 127.0.0.1.

    Attributes:
        behavior: "ok"; "error": status 500; "reset": closes the connection instead of an answer; "cut": ends in the
            middle of the answer's body; "slow": the answer begins after SLOW seconds.
        asked: method, path and Host header of each request.
        server_names: what TLS connections asked for.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.behavior = "ok"
        self.asked: list[tuple[str, str, str]] = []
        self.server_names: list[str | None] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host.answer(self)

            do_POST = do_PUT = do_GET

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            context.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", 0))
        handler.rfile.read(length)
        self.asked.append((handler.command, handler.path, handler.headers["Host"]))
        if self.behavior == "reset":
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        if self.behavior == "slow":
            threading.Event().wait(SLOW)
        body = self.address.encode()
        handler.send_response(500 if self.behavior == "error" else 200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if self.behavior == "cut":
            body = body[:3]
            handler.close_connection = True
        handler.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
