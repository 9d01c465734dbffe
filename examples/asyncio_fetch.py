"""Fetches a page from module (1, 1) a number of times at once, each time from the host that Lars chooses.

python examples/asyncio_fetch.py 10
"""

import asyncio
import sys

from lars.client.asyncio import LarsClient
from lars.errors import LarsError


async def status(ip: str, port: int) -> str:
    """The status of a host's first page; raises OSError, also for an error of the server, and after 2 s."""
    async with asyncio.timeout(2):
        reader, writer = await asyncio.open_connection(ip, port)
        try:
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            answer = await reader.read()
        finally:
            writer.close()
        found = answer.split()[1].decode()
        if found.startswith("5"):  # without this, the call would be reported as a success
            raise OSError(f"{ip}:{port} answers {found}")
        return found


async def fetch(client: LarsClient) -> str:
    """The host that answered, and its status."""
    for attempt in client.retrying(1, 1, attempts=3, failures=OSError):
        async with attempt as host:
            return f"{host} {await status(host.ip, host.port)}"
    raise AssertionError("the last attempt returns or raises")


async def main() -> None:
    async with LarsClient() as client:
        await client.ready(1, 1)
        for answer in await asyncio.gather(*(fetch(client) for _ in range(int(sys.argv[1])))):
            print(answer)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except LarsError as error:
        sys.exit(str(error))
