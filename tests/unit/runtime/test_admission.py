"""Who may use a port: by address."""

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from lars.networks import ANY, networks
from lars.runtime.admission import CAPACITY, Admission


class AllowTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.admission = Admission("lars-dns", self.clock, networks("10.0.0.0/8"))

    def built(self, address: IAddress) -> bool:
        return self.admission.guarded(Factory.forProtocol(Protocol)).buildProtocol(address) is not None

    def test_peers_of_the_networks_are_served_and_others_closed_and_counted(self) -> None:
        for host, served in (("10.1.2.3", True), ("11.1.2.3", False), ("127.0.0.1", False), ("11.1.2.3", False)):
            self.assertEqual(self.built(IPv4Address("TCP", host, 1)), served, host)
        self.assertEqual(self.admission.dropped()["not_allowed"], 3)

    def test_this_machine_may_use_its_agent_whatever_the_networks(self) -> None:
        agent = Admission("lars-agent", self.clock, networks("10.0.0.0/8"), and_this_machine=True)
        self.assertEqual([agent.admits(host) for host in ("127.0.0.1", "10.9.9.9", "203.0.113.9")], [True, True, False])

    def test_unix_socket_is_guarded_by_its_file(self) -> None:
        self.assertTrue(self.built(UNIXAddress("")))

    def test_by_default_all_are_served_by_the_factory_itself(self) -> None:
        factory = Factory.forProtocol(Protocol)
        self.assertIs(Admission("lars-dns", self.clock, ANY).guarded(factory), factory)

    def test_refusals_are_one_line_a_minute_however_many(self) -> None:
        with capturedLogs() as events:
            for minute in range(3):
                for number in range(1000):
                    self.admission.admits(f"11.0.{minute}.{number % 256}")
                self.clock.advance(60)
        self.assertEqual([event["times"] for event in events], [1, 1000, 1000])

    def test_forged_addresses_take_no_memory(self) -> None:
        for number in range(3 * CAPACITY):
            self.admission.admits(f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        self.assertLessEqual(len(self.admission._known), CAPACITY)

    def test_port_that_other_machines_reach_says_who_may_use_it(self) -> None:
        for admission, said in (
            (self.admission, "lars-dns: on 10.0.0.7 for 10.0.0.0/8"),
            (
                Admission("lars-dns", self.clock),
                "lars-dns: every machine that reaches 10.0.0.7 may use it; allow names the networks that may",
            ),
        ):
            with capturedLogs() as events:
                admission.is_open_on("10.0.0.7")
            self.assertEqual([event["log_format"].format(**event) for event in events], [said])
