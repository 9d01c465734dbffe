"""A process that echoes frames through the wire protocol and does nothing else.

    python -m bench.services.wire_echo PORT

Each frame is cut from the stream, parsed, handed to its receiver, encoded again and written.
"""

import sys
from typing import Any

from twisted.internet import reactor as real_reactor

from lars.wire.factory import FrameFactory
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse
from lars.wire.messages import MessageId
from lars.wire.protocol import FrameProtocol


class EchoProtocol(FrameProtocol):
    """Sends every route request and response back."""

    def on_request(self, message: GetRouteRequest) -> None:
        """Echoes a request."""
        self.send(MessageId.GET_ROUTE_REQUEST, message)

    def on_response(self, message: GetRouteResponse) -> None:
        """Echoes a response."""
        self.send(MessageId.GET_ROUTE_RESPONSE, message)

    receivers = {MessageId.GET_ROUTE_REQUEST: on_request, MessageId.GET_ROUTE_RESPONSE: on_response}


class EchoFactory(FrameFactory):
    """Every connection is echoed."""

    protocol = EchoProtocol


def main() -> None:
    """Listens on the port of the command line, until it is killed."""
    reactor: Any = real_reactor
    reactor.listenTCP(int(sys.argv[1]), EchoFactory(reactor), interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main()
