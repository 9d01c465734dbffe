"""The messages as a C++ peer reads them: compiled from its own declarations, with int32 where ours has uint32."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc

_PROTO = Path(__file__).with_name("cpp_lars.proto")


@cache
def _pool() -> DescriptorPool:
    with TemporaryDirectory() as folder:
        out = Path(folder, "set")
        status = protoc.main(["protoc", f"-I{_PROTO.parent}", f"--descriptor_set_out={out}", _PROTO.name])
        assert status == 0
        files = FileDescriptorSet.FromString(out.read_bytes())
    pool = DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


def cpp_message(name: str) -> Any:
    """The class of a C++ message; a generated class, so untyped here."""
    return GetMessageClass(_pool().FindMessageTypeByName(f"lars_cpp.{name}"))
