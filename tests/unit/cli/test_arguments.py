"""The arguments that commands share."""

import os
from pathlib import Path

import click
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.arguments import (
    HOST,
    NumbersCommand,
    check_optional,
    db_option,
    module_arguments,
    optional_module_arguments,
    parsed,
)
from lars.cli.exit_status import exit_status
from lars.db.url import DatabaseUrl
from lars.errors import InvalidRoute, LarsError
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
