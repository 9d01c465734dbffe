from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HostInfo(_message.Message):
    __slots__ = ("ip", "port", "weight", "zone")
    IP_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    ip: int
    port: int
    weight: int
    zone: str
    def __init__(self, ip: _Optional[int] = ..., port: _Optional[int] = ..., weight: _Optional[int] = ..., zone: _Optional[str] = ...) -> None: ...

class ModuleSettings(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...

class GetRouteRequest(_message.Message):
    __slots__ = ("modid", "cmdid", "peer")
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    modid: int
    cmdid: int
    peer: int
    def __init__(self, modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., peer: _Optional[int] = ...) -> None: ...

class GetRouteResponse(_message.Message):
    __slots__ = ("modid", "cmdid", "host", "fresh_ms", "settings", "version")
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    FRESH_MS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    modid: int
    cmdid: int
    host: _containers.RepeatedCompositeFieldContainer[HostInfo]
    fresh_ms: int
    settings: ModuleSettings
    version: int
    def __init__(self, modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., host: _Optional[_Iterable[_Union[HostInfo, _Mapping]]] = ..., fresh_ms: _Optional[int] = ..., settings: _Optional[_Union[ModuleSettings, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class HostCallResult(_message.Message):
    __slots__ = ("ip", "port", "succ", "err", "overload")
    IP_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    SUCC_FIELD_NUMBER: _ClassVar[int]
    ERR_FIELD_NUMBER: _ClassVar[int]
    OVERLOAD_FIELD_NUMBER: _ClassVar[int]
    ip: int
    port: int
    succ: int
    err: int
    overload: bool
    def __init__(self, ip: _Optional[int] = ..., port: _Optional[int] = ..., succ: _Optional[int] = ..., err: _Optional[int] = ..., overload: _Optional[bool] = ...) -> None: ...

class ReportStatusRequest(_message.Message):
    __slots__ = ("modid", "cmdid", "caller", "results", "ts", "period_ms", "boot", "seq", "peer")
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    TS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_MS_FIELD_NUMBER: _ClassVar[int]
    BOOT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    modid: int
    cmdid: int
    caller: int
    results: _containers.RepeatedCompositeFieldContainer[HostCallResult]
    ts: int
    period_ms: int
    boot: int
    seq: int
    peer: int
    def __init__(self, modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., caller: _Optional[int] = ..., results: _Optional[_Iterable[_Union[HostCallResult, _Mapping]]] = ..., ts: _Optional[int] = ..., period_ms: _Optional[int] = ..., boot: _Optional[int] = ..., seq: _Optional[int] = ..., peer: _Optional[int] = ...) -> None: ...

class GetHostRequest(_message.Message):
    __slots__ = ("seq", "modid", "cmdid", "key")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    seq: int
    modid: int
    cmdid: int
    key: int
    def __init__(self, seq: _Optional[int] = ..., modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., key: _Optional[int] = ...) -> None: ...

class GetHostResponse(_message.Message):
    __slots__ = ("seq", "modid", "cmdid", "retcode", "host")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    RETCODE_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    seq: int
    modid: int
    cmdid: int
    retcode: int
    host: HostInfo
    def __init__(self, seq: _Optional[int] = ..., modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., retcode: _Optional[int] = ..., host: _Optional[_Union[HostInfo, _Mapping]] = ...) -> None: ...

class ReportRequest(_message.Message):
    __slots__ = ("modid", "cmdid", "host", "retcode", "cost_ms")
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    RETCODE_FIELD_NUMBER: _ClassVar[int]
    COST_MS_FIELD_NUMBER: _ClassVar[int]
    modid: int
    cmdid: int
    host: HostInfo
    retcode: int
    cost_ms: int
    def __init__(self, modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., host: _Optional[_Union[HostInfo, _Mapping]] = ..., retcode: _Optional[int] = ..., cost_ms: _Optional[int] = ...) -> None: ...

class ReportStatusAck(_message.Message):
    __slots__ = ("boot", "seq", "takes_views")
    BOOT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TAKES_VIEWS_FIELD_NUMBER: _ClassVar[int]
    boot: int
    seq: int
    takes_views: bool
    def __init__(self, boot: _Optional[int] = ..., seq: _Optional[int] = ..., takes_views: _Optional[bool] = ...) -> None: ...

class RouteStateRequest(_message.Message):
    __slots__ = ("seq", "modid", "cmdid", "version")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    seq: int
    modid: int
    cmdid: int
    version: int
    def __init__(self, seq: _Optional[int] = ..., modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class SlowHost(_message.Message):
    __slots__ = ("ip", "port", "penalty")
    IP_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    PENALTY_FIELD_NUMBER: _ClassVar[int]
    ip: int
    port: int
    penalty: float
    def __init__(self, ip: _Optional[int] = ..., port: _Optional[int] = ..., penalty: _Optional[float] = ...) -> None: ...

class RouteStateResponse(_message.Message):
    __slots__ = ("seq", "modid", "cmdid", "version", "idle", "overloaded", "policy", "idle_weight", "ask", "slow", "state_dir")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    OVERLOADED_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    IDLE_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    SLOW_FIELD_NUMBER: _ClassVar[int]
    STATE_DIR_FIELD_NUMBER: _ClassVar[int]
    seq: int
    modid: int
    cmdid: int
    version: int
    idle: _containers.RepeatedCompositeFieldContainer[HostInfo]
    overloaded: _containers.RepeatedCompositeFieldContainer[HostInfo]
    policy: str
    idle_weight: _containers.RepeatedScalarFieldContainer[int]
    ask: bool
    slow: _containers.RepeatedCompositeFieldContainer[SlowHost]
    state_dir: str
    def __init__(self, seq: _Optional[int] = ..., modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., version: _Optional[int] = ..., idle: _Optional[_Iterable[_Union[HostInfo, _Mapping]]] = ..., overloaded: _Optional[_Iterable[_Union[HostInfo, _Mapping]]] = ..., policy: _Optional[str] = ..., idle_weight: _Optional[_Iterable[int]] = ..., ask: _Optional[bool] = ..., slow: _Optional[_Iterable[_Union[SlowHost, _Mapping]]] = ..., state_dir: _Optional[str] = ...) -> None: ...

class HostSuccesses(_message.Message):
    __slots__ = ("ip", "port", "succ", "cost_us", "timed")
    IP_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    SUCC_FIELD_NUMBER: _ClassVar[int]
    COST_US_FIELD_NUMBER: _ClassVar[int]
    TIMED_FIELD_NUMBER: _ClassVar[int]
    ip: int
    port: int
    succ: int
    cost_us: int
    timed: int
    def __init__(self, ip: _Optional[int] = ..., port: _Optional[int] = ..., succ: _Optional[int] = ..., cost_us: _Optional[int] = ..., timed: _Optional[int] = ...) -> None: ...

class ReportBatch(_message.Message):
    __slots__ = ("modid", "cmdid", "result", "watch_ms", "before_failure", "silent")
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    WATCH_MS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FAILURE_FIELD_NUMBER: _ClassVar[int]
    SILENT_FIELD_NUMBER: _ClassVar[int]
    modid: int
    cmdid: int
    result: _containers.RepeatedCompositeFieldContainer[HostSuccesses]
    watch_ms: int
    before_failure: bool
    silent: _containers.RepeatedCompositeFieldContainer[HostInfo]
    def __init__(self, modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., result: _Optional[_Iterable[_Union[HostSuccesses, _Mapping]]] = ..., watch_ms: _Optional[int] = ..., before_failure: _Optional[bool] = ..., silent: _Optional[_Iterable[_Union[HostInfo, _Mapping]]] = ...) -> None: ...

class ModuleListRequest(_message.Message):
    __slots__ = ("seq", "offset")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    seq: int
    offset: int
    def __init__(self, seq: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class ModuleState(_message.Message):
    __slots__ = ("modid", "cmdid", "host", "left_out")
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    modid: int
    cmdid: int
    host: _containers.RepeatedCompositeFieldContainer[HostCallResult]
    left_out: int
    def __init__(self, modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., host: _Optional[_Iterable[_Union[HostCallResult, _Mapping]]] = ..., left_out: _Optional[int] = ...) -> None: ...

class ModuleListResponse(_message.Message):
    __slots__ = ("seq", "offset", "module", "total")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    MODULE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    seq: int
    offset: int
    module: _containers.RepeatedCompositeFieldContainer[ModuleState]
    total: int
    def __init__(self, seq: _Optional[int] = ..., offset: _Optional[int] = ..., module: _Optional[_Iterable[_Union[ModuleState, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("seq", "modid", "cmdid", "offset")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    seq: int
    modid: int
    cmdid: int
    offset: int
    def __init__(self, seq: _Optional[int] = ..., modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class ExplainedHost(_message.Message):
    __slots__ = ("ip", "port", "ejected", "share", "calls", "failures", "failures_in_a_row", "in_flight", "latency", "next_probe", "why", "condition", "reason")
    IP_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    EJECTED_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_IN_A_ROW_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    NEXT_PROBE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ip: int
    port: int
    ejected: bool
    share: float
    calls: float
    failures: float
    failures_in_a_row: int
    in_flight: int
    latency: float
    next_probe: float
    why: str
    condition: int
    reason: str
    def __init__(self, ip: _Optional[int] = ..., port: _Optional[int] = ..., ejected: _Optional[bool] = ..., share: _Optional[float] = ..., calls: _Optional[float] = ..., failures: _Optional[float] = ..., failures_in_a_row: _Optional[int] = ..., in_flight: _Optional[int] = ..., latency: _Optional[float] = ..., next_probe: _Optional[float] = ..., why: _Optional[str] = ..., condition: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("seq", "modid", "cmdid", "offset", "policy", "host", "total")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    seq: int
    modid: int
    cmdid: int
    offset: int
    policy: str
    host: _containers.RepeatedCompositeFieldContainer[ExplainedHost]
    total: int
    def __init__(self, seq: _Optional[int] = ..., modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., offset: _Optional[int] = ..., policy: _Optional[str] = ..., host: _Optional[_Iterable[_Union[ExplainedHost, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class UnsubscribeRequest(_message.Message):
    __slots__ = ("modid", "cmdid")
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    modid: int
    cmdid: int
    def __init__(self, modid: _Optional[int] = ..., cmdid: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("interval_ms", "server")
    INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    interval_ms: int
    server: str
    def __init__(self, interval_ms: _Optional[int] = ..., server: _Optional[str] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("token", "refused")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    token: str
    refused: str
    def __init__(self, token: _Optional[str] = ..., refused: _Optional[str] = ...) -> None: ...

class HostView(_message.Message):
    __slots__ = ("ip", "port", "condition", "reason", "age_s", "latency_us", "succ", "err")
    IP_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AGE_S_FIELD_NUMBER: _ClassVar[int]
    LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    SUCC_FIELD_NUMBER: _ClassVar[int]
    ERR_FIELD_NUMBER: _ClassVar[int]
    ip: int
    port: int
    condition: int
    reason: str
    age_s: int
    latency_us: int
    succ: int
    err: int
    def __init__(self, ip: _Optional[int] = ..., port: _Optional[int] = ..., condition: _Optional[int] = ..., reason: _Optional[str] = ..., age_s: _Optional[int] = ..., latency_us: _Optional[int] = ..., succ: _Optional[int] = ..., err: _Optional[int] = ...) -> None: ...

class ModuleView(_message.Message):
    __slots__ = ("modid", "cmdid", "version", "forgotten", "host", "period_s")
    MODID_FIELD_NUMBER: _ClassVar[int]
    CMDID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FORGOTTEN_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    modid: int
    cmdid: int
    version: int
    forgotten: bool
    host: _containers.RepeatedCompositeFieldContainer[HostView]
    period_s: int
    def __init__(self, modid: _Optional[int] = ..., cmdid: _Optional[int] = ..., version: _Optional[int] = ..., forgotten: _Optional[bool] = ..., host: _Optional[_Iterable[_Union[HostView, _Mapping]]] = ..., period_s: _Optional[int] = ...) -> None: ...

class AgentFacts(_message.Message):
    __slots__ = ("hostname", "version", "zone", "age_s", "dns", "reporter", "settings")
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    AGE_S_FIELD_NUMBER: _ClassVar[int]
    DNS_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    hostname: str
    version: str
    zone: str
    age_s: int
    dns: str
    reporter: str
    settings: str
    def __init__(self, hostname: _Optional[str] = ..., version: _Optional[str] = ..., zone: _Optional[str] = ..., age_s: _Optional[int] = ..., dns: _Optional[str] = ..., reporter: _Optional[str] = ..., settings: _Optional[str] = ...) -> None: ...

class AgentViews(_message.Message):
    __slots__ = ("boot", "caller", "agent", "module")
    BOOT_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    MODULE_FIELD_NUMBER: _ClassVar[int]
    boot: int
    caller: int
    agent: AgentFacts
    module: _containers.RepeatedCompositeFieldContainer[ModuleView]
    def __init__(self, boot: _Optional[int] = ..., caller: _Optional[int] = ..., agent: _Optional[_Union[AgentFacts, _Mapping]] = ..., module: _Optional[_Iterable[_Union[ModuleView, _Mapping]]] = ...) -> None: ...
