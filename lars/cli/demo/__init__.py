"""`lars demo`: all of Lars, with four nodes, one that fails and recovers, and one that is added, in half a minute."""

from lars.cli.demo.command import demo

__all__ = ["demo"]
