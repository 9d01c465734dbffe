"""The command line of the demo's stack."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.stack import StackConfig


class StackConfigTests(SynchronousTestCase):
    def test_every_service_listens_on_its_port_of_this_machine_alone(self) -> None:
        arguments = StackConfig(Path("/tmp/a b"), dns=1, reporter=2, agent=3, web=4).twistd_arguments()
        options = dict(zip(arguments[3::2], arguments[4::2], strict=True))
        self.assertEqual(
            options,
            {
                "--db": "sqlite:////tmp/a%20b/lars.db",
                "--dns-listen": "tcp:1:interface=127.0.0.1",
                "--reporter-listen": "tcp:2:interface=127.0.0.1",
                "--agent-listen": "127.0.0.1:3",
                "--web-listen": "tcp:4:interface=127.0.0.1",
                "--gateway-listen": "",
                "--state-dir": "/tmp/a b/state",
                "--agent-config": "/tmp/a b/agent.conf",
            },
        )

    def test_a_free_stack_has_a_port_for_each_service(self) -> None:
        config = StackConfig.free(Path("/tmp"))
        self.assertEqual(len({config.dns, config.reporter, config.web}), 3)
