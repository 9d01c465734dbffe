"""`lars module`: the settings of a module, by the schema of lars.module_settings."""

import json

import click
from click.shell_completion import CompletionItem

from lars.cli.arguments import NumbersCommand, db_option, json_option, module_arguments
from lars.cli.commands.route_edit import edit_routes
from lars.cli.database import run_with_database
from lars.cli.exit_status import complain
from lars.cli.group import CommandGroup
from lars.cli.terminal.output import print_json, print_table
from lars.db.modules import ModuleStore
from lars.db.routes import RouteEdit
from lars.db.url import DatabaseUrl
from lars.module_settings import ALL, BY_NAME, Setting, Settings, Value, edited, from_json
from lars.route import module_id


@click.group(cls=CommandGroup)
def module() -> None:
    """Show and edit the settings of a module.

    An edit reaches the agents within about a second, and every host keeps its state.
    """


class SettingsCommand(NumbersCommand):
    """A command whose help ends with all settings."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Settings"):
            formatter.write_dl([(setting.name, _described(setting)) for setting in ALL])


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    name, equals, _value = incomplete.partition("=")
    if not equals:
        return [CompletionItem(f"{known}=") for known in BY_NAME if known.startswith(name)]
    words = _words(BY_NAME[name]) if name in BY_NAME else []
    return [CompletionItem(text) for word in words if (text := f"{name}={word}").startswith(incomplete)]


@module.command("set", cls=SettingsCommand)
@module_arguments
@click.argument("settings", metavar="NAME=VALUE...", nargs=-1, required=True, shell_complete=_complete)
@db_option
def set_(modid: int, cmdid: int, settings: tuple[str, ...], url: DatabaseUrl) -> None:
    """Change settings of module (MODID, CMDID). What is not named stays; `NAME=` goes back to the default.

    \b
    Examples:
      lars module set 1 1 policy=round_robin ejection.failures_in_a_row=3
      lars module set 1 1 health_check.type=http health_check.path=/healthz
      lars module set 1 1 policy=
    """
    done = edit_routes(url, [RouteEdit(module_id(modid, cmdid), settings=lambda now: edited(now, settings))])
    what = "nothing to change"
    for changed in done.changed:
        before, after = (from_json(text)[0] for text in changed.settings)
        what = f"{changed.module} {', '.join(differences(before, after))}"
    click.echo(f"{what}; version {done.version}")


@module.command(cls=SettingsCommand)
@module_arguments
@db_option
@json_option
def show(modid: int, cmdid: int, url: DatabaseUrl, as_json: bool) -> None:
    """Show all settings of module (MODID, CMDID), and which of them it sets itself.

    The others are the defaults, unless the conf file of an agent has others.

    \b
    Examples:
      lars module show 1 1
      lars module show 1 1 --json
    """
    wanted = module_id(modid, cmdid)
    found = run_with_database(url, lambda database: ModuleStore(database).module(wanted))
    settings, problems = from_json(found.settings)
    if as_json:
        print_json([_object(setting, settings) for setting in ALL])
    else:
        print_table(["SETTING", "VALUE", "FROM"], [_row(setting, settings) for setting in ALL])
    for problem in problems:
        complain(f"module {wanted}: {problem}: agents use the default")


def differences(before: Settings, after: Settings) -> list[str]:
    """What is another after an edit, for people: "policy default → classic"."""
    names = [name for name in BY_NAME if before.get(name) != after.get(name)]
    return [f"{name} {_shown(before.get(name))} → {_shown(after.get(name))}" for name in names]


def _shown(value: Value | None) -> str:
    if value is None:
        return "default"
    return value if isinstance(value, str) else json.dumps(value)


def _object(setting: Setting, settings: Settings) -> dict[str, object]:
    value = settings.get(setting.name, setting.default)
    return {"name": setting.name, "value": value, "default": setting.default, "set": setting.name in settings}


def _row(setting: Setting, settings: Settings) -> tuple[str, str, str]:
    if setting.name in settings:
        return setting.name, _shown(settings[setting.name]), "module"
    if setting.default is None:
        return setting.name, "-", "agent"
    return setting.name, _shown(setting.default), "default"


def _words(setting: Setting) -> list[str]:
    """The values, where they are few."""
    schema = setting.schema
    return ["true", "false"] if schema.get("type") == "boolean" else list(schema.get("enum", []))


def _described(setting: Setting) -> str:
    schema = setting.schema
    values = ", ".join(_words(setting))
    if "minimum" in schema:
        values = f"{schema['minimum']:g} to {schema['maximum']:g}"
    default = "the agent decides" if setting.default is None else f"default {_shown(setting.default)}"
    return f"{setting.help} ({values + '; ' if values else ''}{default})."
