"""Names of modules, and the choice of another host."""

import asyncio

from twisted.trial.unittest import SynchronousTestCase

from lars.client.host import Host
from lars.client.integrations.attempts import bare_name, checked_attempts, choose, choose_async, module_of, server_error
from lars.errors import InvalidRoute, SettingsError
from lars.route import ModuleId, parse_host

MODULE = ModuleId(1, 1)
A, B, C = (Host(MODULE, parse_host(f"10.0.0.{number}:80")) for number in (1, 2, 3))


class Client:
    """Gives hosts in a given order."""

    def __init__(self, *given: Host) -> None:
        self.given = list(given)

    def get_host(self, modid: int, cmdid: int) -> Host:
        return self.given.pop(0)

    def get_route(self, modid: int, cmdid: int) -> list[Host]:
        return [A, B, C]

    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        raise AssertionError("nothing is reported")


class AwaitingClient(Client):
    async def get_host(self, modid: int, cmdid: int) -> Host:  # type: ignore[override]  # as a coroutine
        return super().get_host(modid, cmdid)

    async def get_route(self, modid: int, cmdid: int) -> list[Host]:  # type: ignore[override]  # as a coroutine
        return super().get_route(modid, cmdid)


class NameTests(SynchronousTestCase):
    def test_module_is_named_by_its_numbers(self) -> None:
        for name, module in (("1.1.lars", (1, 1)), ("70000.0.lars", (70000, 0)), ("example.com", None), ("lars", None)):
            self.assertEqual(module_of(name), module)

    def test_other_names_under_lars_are_errors(self) -> None:
        for name in (
            "a.b.lars",
            "1.lars",
            "1.2.3.lars",
            ".lars",
            "-1.1.lars",
            f"1.1{chr(0x661)}.lars",
            "0.0.lars",
            f"{2**31}.1.lars",
        ):
            with self.assertRaises(InvalidRoute, msg=name):
                module_of(name)

    def test_port_is_no_part_of_a_servers_name(self) -> None:
        self.assertEqual([bare_name("1.1.lars:8443"), bare_name("shop.example")], ["1.1.lars", "shop.example"])


class ChoiceTests(SynchronousTestCase):
    def test_host_that_was_tried_is_passed_over(self) -> None:
        self.assertEqual(choose(Client(A), MODULE, []), A)
        self.assertEqual(choose(Client(A, B), MODULE, [A]), B)
        self.assertEqual(asyncio.run(choose_async(AwaitingClient(A, B), MODULE, [A])), B)

    def test_host_of_the_route_is_drawn_where_the_agent_gives_tried_ones_only(self) -> None:
        self.assertEqual(choose(Client(A, A, B), MODULE, [A, B]), C)
        self.assertEqual(asyncio.run(choose_async(AwaitingClient(A, A, B), MODULE, [A, B])), C)

    def test_tried_host_is_given_where_there_is_no_other(self) -> None:
        self.assertEqual(choose(Client(A, A, B, C), MODULE, [A, B, C]), C)

    def test_attempts_and_failures(self) -> None:
        self.assertEqual(checked_attempts(1), 1)
        with self.assertRaises(SettingsError):
            checked_attempts(0)
        self.assertEqual([server_error(status) for status in (200, 404, 499, 500, 503)], [False] * 3 + [True] * 2)
