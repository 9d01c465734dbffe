"""The committed lars_pb2 is what proto/lars.proto generates."""

from pathlib import Path
from tempfile import TemporaryDirectory

from grpc_tools import protoc
from twisted.trial.unittest import SynchronousTestCase

import lars.wire

WIRE = Path(lars.wire.__file__).parent
PROTO = WIRE.parents[1] / "proto"


class GeneratedTests(SynchronousTestCase):
    def test_committed_files_are_what_the_proto_generates(self) -> None:
        with TemporaryDirectory() as folder:
            status = protoc.main(
                ["protoc", f"-I{PROTO}", f"--python_out={folder}", f"--pyi_out={folder}", str(PROTO / "lars.proto")]
            )
            self.assertEqual(status, 0)
            for name in ("lars_pb2.py", "lars_pb2.pyi"):
                new, committed = Path(folder, name).read_bytes(), (WIRE / name).read_bytes()
                self.assertEqual(new, committed, f"lars/wire/{name} is stale: run `make proto`")
