"""What starts as `lars`: the command line, or one line that says what to install for it.

`pip install lars-balancer` brings what lars.client needs; click and all else are extras (docs/operations.md, what to
install).
"""

import sys

_CLI = frozenset({"click", "rich"})
_SERVICES = frozenset({"argon2", "babel", "jinja2", "klein", "prometheus_client", "pymysql", "treq", "twisted", "zope"})


def what_to_install(error: ModuleNotFoundError) -> str | None:
    """The line for a package that an extra brings; None for any other module, which is a bug."""
    package = (error.name or "").partition(".")[0]
    if package not in _CLI | _SERVICES:
        return None
    extras = "the `lars` command" if package in _CLI else "this command"
    return f"{package} is not installed, which {extras} needs: pip install 'lars-balancer[services]'"


def main() -> None:
    """Runs the command line of sys.argv, and exits."""
    try:
        from lars.cli.main import main as run
    except ModuleNotFoundError as error:
        line = what_to_install(error)
        if line is None:
            raise
        sys.exit(f"lars: {line}")
    run()
