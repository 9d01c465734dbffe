"""A client of one kind that asks for a host on each line of standard input: `python -m … KIND AGENT`."""

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.internet.threads import deferToThread

from lars.errors import LarsError
from tests.integration.client.drivers import DRIVERS


async def answer(kind: str, agent: str) -> None:
    client = DRIVERS[kind](agent=agent, timeout=0.1, cache=False, state_dir="", first_wait=0)
    while await deferToThread(sys.stdin.readline):
        try:
            host: object = await client.get_host()
        except LarsError as error:
            host = error
        sys.stdout.write(f"{host}\n")
        sys.stdout.flush()
    await client.close()
    await client.end()


def main(_reactor: Any) -> Deferred[None]:
    return Deferred.fromCoroutine(answer(*sys.argv[1:]))


if __name__ == "__main__":
    react(main)
