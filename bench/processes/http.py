"""One blocking GET from a service on this machine."""

from contextlib import closing
from http.client import HTTPConnection


def get(port: int, path: str) -> tuple[int, str]:
    """The status and text of a page of 127.0.0.1; OSError if there is no answer within 30 s."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
