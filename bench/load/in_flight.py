"""A client with 100 calls under way: `python -m bench.load.in_flight asyncio|twisted AGENT SECONDS CACHE`."""

import asyncio
import json
import sys
import time
from resource import RUSAGE_SELF, getrusage
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred, gatherResults

from lars.client.asyncio import LarsClient as AsyncioClient
from lars.client.twisted import LarsClient as TwistedClient
from lars.runtime.reactor import IReactor

COROUTINES = 100
BATCH = 50
"""Cycles between two looks at the clock."""


async def cycles(client: Any, modid: int, end: float) -> int:
    """Repeats get_host and report until the end; how often."""
    done = 0
    while time.monotonic() < end:
        for _ in range(BATCH):
            client.report(await client.get_host(modid, 1))
        done += BATCH
    return done


def print_cycles(done: int, seconds: float, cpu: float) -> None:
    """Prints what run_module reads: cycles a second, and CPU µs of a cycle."""
    print(json.dumps({"cycles_per_s": done / seconds, "cpu_us": cpu / done * 1e6}))


def cpu_seconds() -> float:
    """CPU time of this process so far."""
    usage = getrusage(RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def with_asyncio(agent: str, seconds: float, cache: bool) -> None:
    """Measures the asyncio client."""
    async with AsyncioClient(agent, timeout=5, cache=cache, state_dir="") as client:
        await asyncio.gather(*(client.get_host(1 + n % 10, 1) for n in range(COROUTINES)))
        began, cpu = time.monotonic(), cpu_seconds()
        done = await asyncio.gather(*(cycles(client, 1 + n % 10, began + seconds) for n in range(COROUTINES)))
        print_cycles(sum(done), time.monotonic() - began, cpu_seconds() - cpu)


async def with_twisted(reactor: IReactor, agent: str, seconds: float, cache: bool) -> None:
    """Measures the Twisted client."""
    async with TwistedClient(agent, timeout=5, cache=cache, state_dir="", reactor=reactor) as client:
        await gatherResults([client.get_host(1 + n % 10, 1) for n in range(COROUTINES)])
        began, cpu = time.monotonic(), cpu_seconds()
        runs = [Deferred.fromCoroutine(cycles(client, 1 + n % 10, began + seconds)) for n in range(COROUTINES)]
        done = await gatherResults(runs)
        print_cycles(sum(done), time.monotonic() - began, cpu_seconds() - cpu)


def main(name: str, agent: str, seconds: str, cache: str) -> None:
    """Measures one client."""
    if name == "asyncio":
        asyncio.run(with_asyncio(agent, float(seconds), cache == "1"))
    else:
        task.react(lambda reactor: Deferred.fromCoroutine(with_twisted(reactor, agent, float(seconds), cache == "1")))


if __name__ == "__main__":
    main(*sys.argv[1:])
