"""A web server that forwards each request to the host of module (1, 1) that Lars chooses.

python examples/twisted_proxy.py 8080
"""

import sys
from typing import Any

from twisted.internet import endpoints, task
from twisted.internet.defer import Deferred
from twisted.web.client import Agent, readBody
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from lars.client.twisted import LarsClient
from lars.errors import LarsError


class Proxy(Resource):
    """Forwards every path to the next host."""

    isLeaf = True

    def __init__(self, client: LarsClient, reactor: Any) -> None:
        Resource.__init__(self)
        self._client = client
        self._agent = Agent(reactor, connectTimeout=2)

    def render_GET(self, request: Request) -> int:
        Deferred.fromCoroutine(self._pass_on(request))
        return NOT_DONE_YET

    async def _pass_on(self, request: Request) -> None:
        try:
            for attempt in self._client.retrying(1, 1, attempts=3):
                async with attempt as host:
                    answer = await self._agent.request(b"GET", f"http://{host}".encode() + request.uri)
                    body = await readBody(answer)
                    if answer.code >= 500:  # without this, the call would be reported as a success
                        attempt.fail()
            request.setResponseCode(answer.code)
            request.setHeader("X-Host", str(host))
            request.write(body)
        except LarsError as error:
            request.setResponseCode(503)
            request.write(f"{error}\n".encode())
        except Exception as error:
            request.setResponseCode(502)
            request.write(f"no host answered: {error}\n".encode())
        request.finish()


async def main(reactor: Any, port: str) -> None:
    client = LarsClient(reactor=reactor)
    endpoint = endpoints.serverFromString(reactor, f"tcp:{port}:interface=127.0.0.1")
    await endpoint.listen(Site(Proxy(client, reactor)))
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await Deferred()  # until Ctrl-C


if __name__ == "__main__":
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor, *sys.argv[1:])))
