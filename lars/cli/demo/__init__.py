"""`lars demo`: all of Lars, four nodes, one that fails and heals, and one that is added, in half a minute."""

from lars.cli.demo.command import demo

__all__ = ["demo"]
