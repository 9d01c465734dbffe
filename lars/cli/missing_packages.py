"""What to install where a package is missing that an extra brings (docs/operations.md, what to install)."""

_CLI = frozenset({"click", "rich"})
_SERVICES = frozenset({"argon2", "babel", "jinja2", "klein", "prometheus_client", "pymysql", "treq", "twisted", "zope"})


def what_to_install(error: ModuleNotFoundError) -> str | None:
    """The line for a package that an extra brings; None for any other module, which is a bug."""
    package = (error.name or "").partition(".")[0]
    if package not in _CLI | _SERVICES:
        return None
    extras = "the `lars` command" if package in _CLI else "this command"
    return f"{package} is not installed, which {extras} needs: pip install 'lars-balancer[services]'"
