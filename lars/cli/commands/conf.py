"""`lars conf`: the commented conf files that come with Lars, from a checkout and from a wheel alike."""

from pathlib import Path

import click

from lars.errors import LarsError
from lars.shipped import shipped

SERVICES = ("dns", "reporter", "agent", "web", "gateway")


@click.group()
def conf() -> None:
    """Show or copy the conf files, which have every setting with its default."""


@conf.command()
@click.argument("service", type=click.Choice(SERVICES))
def show(service: str) -> None:
    """Print the conf file of a service.

    \b
    Example:
      lars conf show agent
    """
    click.echo(_file(service).read_text(encoding="utf-8"), nl=False)


@conf.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="conf")
def copy(folder: Path) -> None:
    """Copy the conf files of all services to FOLDER, by default conf. A file that is there already is kept.

    \b
    Examples:
      lars conf copy
      lars conf copy /etc/lars
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for service in SERVICES:
            source = _file(service)
            target = folder / source.name
            try:
                with target.open("x", encoding="utf-8") as file:
                    file.write(source.read_text(encoding="utf-8"))
            except FileExistsError:
                click.echo(f"kept {target}")
            else:
                click.echo(f"wrote {target}")
    except OSError as error:
        raise LarsError(f"{error.filename}: {error.strerror}: give a folder that you may write to") from None


def _file(service: str) -> Path:
    return shipped("conf", f"lars-{service}.conf")
