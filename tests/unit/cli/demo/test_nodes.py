"""The demo's nodes, over real sockets."""

import socket
import time

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.nodes import HOST, SERVICE_TIME, SLOWNESS, Condition, Node, call_node
from lars.cli.demo.ports import free_tcp_port


class NodeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = Node("node 1")
        self.addCleanup(self.node.stop)

    def test_a_node_answers(self) -> None:
        self.assertTrue(call_node(HOST, self.node.port))

    def test_a_failing_node_closes_without_an_answer(self) -> None:
        self.node.condition = Condition.FAILS
        self.assertFalse(call_node(HOST, self.node.port))

    def test_a_healed_node_answers_again(self) -> None:
        self.node.condition = Condition.FAILS
        call_node(HOST, self.node.port)
        self.node.condition = Condition.ANSWERS
        self.assertTrue(call_node(HOST, self.node.port))

    def test_a_slow_node_answers_later(self) -> None:
        self.node.condition = Condition.SLOW
        began = time.monotonic()
        self.assertTrue(call_node(HOST, self.node.port))
        self.assertGreaterEqual(time.monotonic() - began, SERVICE_TIME * SLOWNESS)

    def test_a_caller_that_says_nothing_does_not_keep_others_waiting(self) -> None:
        with socket.create_connection((HOST, self.node.port), 1.0):
            self.assertTrue(call_node(HOST, self.node.port))

    def test_a_call_to_nobody_fails(self) -> None:
        self.assertFalse(call_node(HOST, free_tcp_port()))
