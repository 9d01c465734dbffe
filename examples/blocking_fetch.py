"""Fetches a page from module (1, 1) a number of times, from the host that Lars chooses; retries with another host.

python examples/blocking_fetch.py 10
"""

import sys
import urllib.request
from urllib.error import HTTPError

from lars.client import LarsClient
from lars.errors import LarsError


def is_failure(error: Exception) -> bool:
    """Whether an error is one of the host: no answer, or an error of the server, but not that there is no such page."""
    return isinstance(error, OSError) and not (isinstance(error, HTTPError) and error.code < 500)


def fetch(client: LarsClient) -> str:
    """The host that answered, and its status."""
    for attempt in client.retrying(1, 1, attempts=3, failures=is_failure):
        with attempt as host, urllib.request.urlopen(f"http://{host}/", timeout=2) as answer:
            return f"{host} {answer.status}"
    raise AssertionError("the last attempt returns or raises")


def main() -> None:
    with LarsClient() as client:
        client.ready(1, 1)
        for _ in range(int(sys.argv[1])):
            print(fetch(client))


if __name__ == "__main__":
    try:
        main()
    except LarsError as error:
        sys.exit(str(error))
