"""The demo's nodes, over real sockets."""

import socket

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.nodes import HOST, Node, call_node
from lars.cli.demo.ports import free_tcp_port


class NodeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = Node("node 1")
        self.addCleanup(self.node.stop)

    def test_a_node_answers(self) -> None:
        self.assertTrue(call_node(HOST, self.node.port))

    def test_a_failing_node_closes_without_an_answer(self) -> None:
        self.node.failing = True
        self.assertFalse(call_node(HOST, self.node.port))

    def test_a_healed_node_answers_again(self) -> None:
        self.node.failing = True
        call_node(HOST, self.node.port)
        self.node.failing = False
        self.assertTrue(call_node(HOST, self.node.port))

    def test_a_caller_that_says_nothing_does_not_keep_others_waiting(self) -> None:
        with socket.create_connection((HOST, self.node.port), 1.0):
            self.assertTrue(call_node(HOST, self.node.port))

    def test_a_call_to_nobody_fails(self) -> None:
        self.assertFalse(call_node(HOST, free_tcp_port()))
