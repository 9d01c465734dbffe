"""The encoded parts are those of the whole messages."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.encodings import answer_fields, module_fields
from lars.route import HostAddress, ModuleId
from lars.wire.lars_pb2 import GetHostRequest, GetHostResponse, HostInfo

modules = st.builds(ModuleId, st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
hosts = st.builds(HostAddress, st.integers(1, 2**32 - 1), st.integers(1, 65535))


class EncodingTests(SynchronousTestCase):
    @given(modules, st.integers(1, 2**32 - 1))
    def test_a_request_is_its_seq_and_the_module_fields(self, module: ModuleId, seq: int) -> None:
        whole = GetHostRequest(seq=seq, modid=module.modid, cmdid=module.cmdid).SerializeToString()
        self.assertEqual(GetHostRequest(seq=seq).SerializeToString() + module_fields(module), whole)

    @given(modules, hosts, st.integers(1, 2**32 - 1))
    def test_an_answer_is_its_seq_and_the_answer_fields(self, module: ModuleId, host: HostAddress, seq: int) -> None:
        info = HostInfo(ip=host.ip, port=host.port)
        whole = GetHostResponse(seq=seq, modid=module.modid, cmdid=module.cmdid, host=info).SerializeToString()
        self.assertEqual(GetHostResponse(seq=seq).SerializeToString() + answer_fields(module, host), whole)
