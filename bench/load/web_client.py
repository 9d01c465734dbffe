"""A client of lars-web in a process of its own: `python -m bench.load.web_client` reads what to do from standard input.

JSON in: port, headers, requests as [method, path] pairs, rate (a second; 0: as fast as the connections go),
connections. JSON out: seconds of each answer since it was due, by path's first name, and how many were not 2xx.
"""

import json
import sys
import threading
import time
from http.client import HTTPConnection
from typing import Any


def main() -> None:
    """Makes the requests that standard input names, and prints what came of them."""
    task: dict[str, Any] = json.load(sys.stdin)
    requests = [tuple(request) for request in task["requests"]]
    lock = threading.Lock()
    began = time.monotonic() + (0.2 if task["rate"] else 0.0)
    place = 0
    samples: list[tuple[str, float]] = []
    bad = 0

    def work() -> None:
        nonlocal place, bad
        connection = HTTPConnection("127.0.0.1", task["port"], timeout=60)
        while True:
            with lock:
                mine, place = place, place + 1
            if mine >= len(requests):
                return
            due = began + mine / task["rate"] if task["rate"] else time.monotonic()
            time.sleep(max(0.0, due - time.monotonic()))
            method, path = requests[mine]
            connection.request(method, path, headers=task["headers"])
            answer = connection.getresponse()
            answer.read()
            with lock:
                samples.append((path, time.monotonic() - due))
                bad += answer.status >= 300

    threads = [threading.Thread(target=work) for _ in range(task["connections"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump({"samples": samples, "bad": bad, "seconds": time.monotonic() - began}, sys.stdout)


if __name__ == "__main__":
    main()
