"""A listening place bears a fleet that connects at once."""

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.listening import ACCEPTS, BACKLOG, _Accepting, _with_backlog


class BacklogTests(SynchronousTestCase):
    def test_place_gets_a_long_backlog_unless_it_has_one(self) -> None:
        self.assertEqual(
            _with_backlog("tcp:7778:interface=127.0.0.1"), f"tcp:7778:interface=127.0.0.1:backlog={BACKLOG}"
        )
        self.assertEqual(_with_backlog("unix:/run/lars"), f"unix:/run/lars:backlog={BACKLOG}")
        self.assertEqual(_with_backlog("tcp:7778:backlog=7"), "tcp:7778:backlog=7")

    def test_place_that_takes_none_is_left_alone(self) -> None:
        self.assertEqual(_with_backlog("systemd:domain=INET:index=0"), "systemd:domain=INET:index=0")


class Port:
    """As twisted.internet.tcp.Port: how many connections a turn may accept."""

    numberAccepts = 100


class AcceptingTests(SynchronousTestCase):
    def test_no_turn_accepts_more_than_its_share_however_the_port_raises_its_limit(self) -> None:
        clock, port = Clock(), Port()
        accepting = _Accepting(Factory.forProtocol(Protocol), clock)
        accepting.bound(port)
        self.assertEqual(port.numberAccepts, ACCEPTS)
        for _turn in range(3):
            for _accepted in range(ACCEPTS):
                self.assertIsInstance(accepting.buildProtocol(IPv4Address("TCP", "10.0.0.9", 4321)), Protocol)
            port.numberAccepts += 20
            clock.advance(0)
            self.assertEqual(port.numberAccepts, ACCEPTS)
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_port_that_accepts_less_is_left_alone(self) -> None:
        port = Port()
        port.numberAccepts = 3
        _Accepting(Factory.forProtocol(Protocol), Clock()).bound(port)
        self.assertEqual(port.numberAccepts, 3)

    def test_connections_leave_the_last_files_and_say_so_once(self) -> None:
        class Open(Port):
            def fileno(self) -> int:
                return 0

        address = IPv4Address("TCP", "10.0.0.9", 4321)
        with capturedLogs() as events:
            for usable, taken in ((1_000_000, True), (1, False)):
                accepting = _Accepting(Factory.forProtocol(Protocol), Clock(), usable)
                accepting.bound(Open())
                for _ in range(3):
                    self.assertEqual(accepting.buildProtocol(address) is not None, taken)
        self.assertEqual(len(events), 1)
