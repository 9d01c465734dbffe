"""`lars demo`: all of Lars, with nodes that fail, slow down, recover and join, in half a minute."""

from lars.cli.demo.command import demo

__all__ = ["demo"]
