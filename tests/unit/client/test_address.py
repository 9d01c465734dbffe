"""Where the client looks for its agent."""

from twisted.trial.unittest import SynchronousTestCase

from lars.client.address import AgentAddress, agent_address, parse_agent
from lars.errors import SettingsError
from lars.route import ModuleId


class AgentAddressTests(SynchronousTestCase):
    def test_module_is_asked_for_at_base_port_plus_its_ids_modulo_three(self) -> None:
        agent = AgentAddress("127.0.0.1", 8888)
        ports = [agent.shard(ModuleId(modid, cmdid)).port for modid, cmdid in ((1, 1), (1, 2), (2, 2), (0, 3))]
        self.assertEqual(ports, [8890, 8888, 8889, 8888])

    def test_the_program_goes_before_the_environment_and_that_before_the_default(self) -> None:
        environ = {"LARS_AGENT": "10.0.0.1:9000"}
        self.assertEqual(agent_address("10.0.0.2:9001", environ), ("10.0.0.2", 9001))
        self.assertEqual(agent_address(("10.0.0.2", 9001), environ), ("10.0.0.2", 9001))
        self.assertEqual(agent_address(None, environ), ("10.0.0.1", 9000))
        self.assertEqual(agent_address(None, {"LARS_AGENT": ""}), ("127.0.0.1", 8888))
        self.assertEqual(agent_address(None, {}), ("127.0.0.1", 8888))

    def test_name_is_looked_up(self) -> None:
        self.assertEqual(agent_address(None, {"LARS_AGENT": "localhost:8888"}), ("127.0.0.1", 8888))

    def test_bad_address_is_refused_with_what_is_wrong(self) -> None:
        for text, problem in (
            ("no..name:8888", "'no..name' has no IPv4 address"),
            ("127.0.0.1", "is not a host: write IP:PORT"),
            ("127.0.0.1:0", "'0' is not a port"),
            ("127.0.0.1:65534", "65534 is too high: its 3 shards"),
        ):
            with self.assertRaisesRegex(SettingsError, problem):
                parse_agent(text)

    def test_bad_environment_is_named(self) -> None:
        with self.assertRaisesRegex(SettingsError, "^environment LARS_AGENT: agent address: 'x'"):
            agent_address(None, {"LARS_AGENT": "x"})
