"""Parts of datagrams that are encoded once, then compared or copied for each request.

See docs/design/agent.md, datagrams.
"""

from lars.route import HostAddress, ModuleId
from lars.wire.lars_pb2 import GetHostRequest, GetHostResponse, HostInfo


def module_fields(module: ModuleId) -> bytes:
    """The fields modid and cmdid as they follow the seq in a GetHostRequest."""
    return GetHostRequest(modid=module.modid, cmdid=module.cmdid).SerializeToString()


def answer_fields(module: ModuleId, address: HostAddress) -> bytes:
    """All fields of a GetHostResponse that names a host but the seq, which comes before them."""
    host = HostInfo(ip=address.ip, port=address.port)
    return GetHostResponse(modid=module.modid, cmdid=module.cmdid, host=host).SerializeToString()
