"""A host of a module: answers each connection with its own address. `python -m tests.drill.host ADDRESS PORT`."""

import asyncio
import sys
from contextlib import suppress


async def serve(address: str, port: int) -> None:
    """Serves for ever; of each connection one line is read, and the address written."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            if await reader.readline():
                writer.write(f"{address}:{port}\n".encode())
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, address, port, backlog=1024)
    async with server:
        print("listens", flush=True)  # noqa: T201  # read by who started it
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
