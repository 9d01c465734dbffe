"""The message of each id, and the return codes (docs/design/wire.md, messages)."""

from enum import IntEnum
from typing import TypeAlias

from google.protobuf.message import DecodeError

from lars.wire.frames import MAX_BODY, FrameError, encode_frame
from lars.wire.lars_pb2 import (
    AgentViews,
    ExplainRequest,
    ExplainResponse,
    GetHostRequest,
    GetHostResponse,
    GetRouteRequest,
    GetRouteResponse,
    Heartbeat,
    Hello,
    ModuleListRequest,
    ModuleListResponse,
    ReportBatch,
    ReportRequest,
    ReportStatusAck,
    ReportStatusRequest,
    RouteStateRequest,
    RouteStateResponse,
    UnsubscribeRequest,
)

Message: TypeAlias = (
    AgentViews
    | ExplainRequest
    | ExplainResponse
    | GetHostRequest
    | GetHostResponse
    | GetRouteRequest
    | GetRouteResponse
    | Heartbeat
    | Hello
    | ModuleListRequest
    | ModuleListResponse
    | ReportBatch
    | ReportRequest
    | ReportStatusAck
    | ReportStatusRequest
    | RouteStateRequest
    | RouteStateResponse
    | UnsubscribeRequest
)


class MessageId(IntEnum):
    """The message id in a frame's header. 1 to 3, 9, 13, 18 to 20 travel over TCP, the others in datagrams."""

    GET_ROUTE_REQUEST = 1
    GET_ROUTE_RESPONSE = 2
    REPORT_STATUS_REQUEST = 3
    GET_HOST_REQUEST = 4
    GET_HOST_RESPONSE = 5
    REPORT_REQUEST = 6
    API_GET_ROUTE_REQUEST = 7
    API_GET_ROUTE_RESPONSE = 8
    REPORT_STATUS_ACK = 9
    ROUTE_STATE_REQUEST = 10
    ROUTE_STATE_RESPONSE = 11
    REPORT_BATCH = 12
    UNSUBSCRIBE_REQUEST = 13
    MODULE_LIST_REQUEST = 14
    MODULE_LIST_RESPONSE = 15
    EXPLAIN_REQUEST = 16
    EXPLAIN_RESPONSE = 17
    HEARTBEAT = 18
    HELLO = 19
    AGENT_VIEWS = 20


class Retcode(IntEnum):
    """How the agent answers get_host; the same numbers as in the C++ API."""

    SUCC = 0
    OVERLOAD = 1
    SYSTEM_ERROR = 2
    NOEXIST = 3


MESSAGE_TYPES: dict[int, type[Message]] = {
    MessageId.GET_ROUTE_REQUEST: GetRouteRequest,
    MessageId.GET_ROUTE_RESPONSE: GetRouteResponse,
    MessageId.REPORT_STATUS_REQUEST: ReportStatusRequest,
    MessageId.GET_HOST_REQUEST: GetHostRequest,
    MessageId.GET_HOST_RESPONSE: GetHostResponse,
    MessageId.REPORT_REQUEST: ReportRequest,
    MessageId.API_GET_ROUTE_REQUEST: GetRouteRequest,
    MessageId.API_GET_ROUTE_RESPONSE: GetRouteResponse,
    MessageId.REPORT_STATUS_ACK: ReportStatusAck,
    MessageId.ROUTE_STATE_REQUEST: RouteStateRequest,
    MessageId.ROUTE_STATE_RESPONSE: RouteStateResponse,
    MessageId.REPORT_BATCH: ReportBatch,
    MessageId.UNSUBSCRIBE_REQUEST: UnsubscribeRequest,
    MessageId.MODULE_LIST_REQUEST: ModuleListRequest,
    MessageId.MODULE_LIST_RESPONSE: ModuleListResponse,
    MessageId.EXPLAIN_REQUEST: ExplainRequest,
    MessageId.EXPLAIN_RESPONSE: ExplainResponse,
    MessageId.HEARTBEAT: Heartbeat,
    MessageId.HELLO: Hello,
    MessageId.AGENT_VIEWS: AgentViews,
}


def encode_message(message_id: MessageId, message: Message, longest: int = MAX_BODY) -> bytes:
    """The message as one frame; raises FrameError if its body has more than `longest` bytes."""
    return encode_frame(message_id, message.SerializeToString(), longest)


def decode_message(message_id: int, body: bytes) -> Message | None:
    """The message in a frame's body, or None where the id is not known; raises FrameError if the body is malformed."""
    message_type = MESSAGE_TYPES.get(message_id)
    if message_type is None:
        return None
    try:
        return message_type.FromString(body)
    except DecodeError as error:
        raise FrameError(f"message {message_id}: a body of {len(body)} bytes does not parse") from error
