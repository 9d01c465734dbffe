"""The arguments that commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.api import Api
from lars.cli.arguments import (
    HOST,
    ApiOptions,
    NumbersCommand,
    check_optional,
    db_option,
    module_arguments,
    optional_module_arguments,
    parsed,
    place_option,
)
from lars.cli.exit_status import exit_status
from lars.db.url import DatabaseUrl
from lars.errors import InvalidRoute, LarsError, SettingsError
from lars.route import ModuleId, parse_host


def refuse(text: str) -> str:
    raise LarsError(f"{text} is wrong")


class ParsedTests(SynchronousTestCase):
    def test_text_is_what_the_function_makes_of_it(self) -> None:
        self.assertEqual(HOST("10.0.0.5:8080"), parse_host("10.0.0.5:8080"))

    def test_an_error_of_the_function_is_wrong_usage(self) -> None:
        with self.assertRaisesRegex(click.BadParameter, "x is wrong"):
            parsed(refuse)("x")


class DatabaseOptionTests(SynchronousTestCase):
    def given(self, *arguments: str) -> tuple[int, list[str]]:
        """The exit status of a command with a database, and what it got."""
        got: list[str] = []

        @click.command
        @db_option
        def command(url: DatabaseUrl) -> None:
            got.append(str(url))

        self.patch(click, "echo", lambda *_args, **_options: None)
        return exit_status(command, list(arguments)), got

    def test_file_wins_over_the_environment_and_not_over_the_option(self) -> None:
        file = Path(self.mktemp())
        file.write_text("mysql://lars:hunter2@db.example/lars\n", encoding="utf-8")
        self.patch(os, "environ", {**os.environ, "LARS_DB": "sqlite:////tmp/other.db"})
        self.assertEqual(self.given(), (0, ["sqlite:////tmp/other.db"]))
        self.assertEqual(self.given("--db-file", str(file)), (0, ["mysql://lars@db.example:3306/lars"]))
        self.assertEqual(self.given("--db-file", str(file), "--db", "sqlite:///x.db"), (2, []))

    def placed(self, explicit: bool, option: Callable[[Any], Any], *arguments: str) -> tuple[int, list[object]]:
        """The exit status of a command of a `lars` that has --api, and the place that it got."""
        got: list[object] = []
        token = Path(self.mktemp())
        token.write_text("lars_x\n", encoding="utf-8")

        @click.group
        @click.pass_context
        def group(ctx: click.Context) -> None:
            ctx.obj = ApiOptions("http://web", str(token), explicit)

        @group.command
        @option
        def command(url: object) -> None:
            got.append(url)

        self.patch(click, "echo", lambda *_args, **_options: None)
        return exit_status(group, ["command", *arguments]), got

    def test_api_is_used_by_commands_that_can_and_refused_by_others(self) -> None:
        self.patch(os, "environ", {**os.environ, "LARS_DB": "sqlite:////tmp/other.db"})
        for explicit in (True, False):
            self.assertEqual(self.placed(explicit, place_option), (0, [Api("http://web", "lars_x")]))
            self.assertEqual(self.placed(explicit, db_option), (2, []))

    def test_database_of_the_command_line_wins_over_an_api_of_the_environment_alone(self) -> None:
        for option in (place_option, db_option):
            status, got = self.placed(False, option, "--db", "sqlite:////tmp/x.db")
            self.assertEqual((status, list(map(str, got))), (0, ["sqlite:////tmp/x.db"]))
        self.assertEqual(self.placed(True, place_option, "--db", "sqlite:////tmp/x.db"), (2, []))

    def test_api_without_a_token_says_how_to_name_one(self) -> None:
        for token_file, why in ((None, "LARS_TOKEN_FILE"), ("/nowhere", "cannot be read")):
            with self.assertRaisesRegex(SettingsError, why):
                ApiOptions("http://web", token_file, True).api()

    def test_file_without_a_url_is_wrong_usage(self) -> None:
        self.assertEqual(self.given("--db-file", "/nowhere"), (2, []))
        self.assertEqual(self.given("--db-file", __file__), (2, []))


class ModuleArgumentTests(SynchronousTestCase):
    def given(self, arguments: list[str], optional: bool = False) -> tuple[int, list[object]]:
        """The exit status of a command with a module as its argument, and what it got."""
        got: list[object] = []

        @click.command(cls=NumbersCommand)
        @(optional_module_arguments if optional else module_arguments)
        @click.option("--flag", is_flag=True)
        def command(modid: int | None, cmdid: int | None, flag: bool) -> None:
            got.extend((modid, cmdid, flag))

        self.patch(click, "echo", lambda *_args, **_options: None)
        return exit_status(command, arguments), got

    def test_ids_are_numbers(self) -> None:
        self.assertEqual(self.given(["1", "2", "--flag"]), (0, [1, 2, True]))

    def test_two_numbers_with_a_dot_are_a_module(self) -> None:
        self.assertEqual(self.given(["--flag", "1.2"]), (0, [1, 2, True]))
        self.assertEqual(self.given(["1.2147483648"]), (2, []))

    def test_name_without_a_database_is_wrong_usage(self) -> None:
        self.patch(os, "environ", {**os.environ, "LARS_DB": f"sqlite:///{self.mktemp()}"})
        for words in (["1", "x"], ["pay.orders"]):
            self.assertEqual(self.given(words), (2, []))

    def test_negative_ids_are_out_of_range_and_no_options(self) -> None:
        context = click.Context(click.Command("x"))
        command = NumbersCommand("x", params=[click.Argument(["modid"], type=click.IntRange(0, 9))])
        with self.assertRaisesRegex(click.BadParameter, "-1 is not in the range"):
            command.make_context("x", ["-1"], context)

    def test_optional_ids_may_be_left_out_from_the_end(self) -> None:
        for arguments, expected in (([], [None, None]), (["1"], [1, None]), (["1", "2"], [1, 2])):
            self.assertEqual(self.given(arguments, optional=True), (0, [*expected, False]))


class CheckOptionalTests(SynchronousTestCase):
    def test_module_is_named_by_both_ids(self) -> None:
        for modid, cmdid, expected in ((None, None, None), (1, None, None), (1, 2, ModuleId(1, 2))):
            self.assertEqual(check_optional(modid, cmdid), expected)

    def test_module_that_cannot_exist_is_refused(self) -> None:
        self.assertRaises(InvalidRoute, check_optional, 0, 0)
