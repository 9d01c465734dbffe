"""`lars completion`: the script with which a shell completes lars commands and options."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script with which SHELL completes lars commands and options.

    \b
    Example, in ~/.bashrc or ~/.zshrc:
      eval "$(lars completion bash)"
    In ~/.config/fish/config.fish:
      lars completion fish | source
    """
    from lars.cli.main import lars

    chosen = get_completion_class(shell)
    assert chosen is not None
    click.echo(chosen(lars, {}, "lars", "_LARS_COMPLETE").source())
