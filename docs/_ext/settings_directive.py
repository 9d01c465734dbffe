"""The directive `lars-settings MODULE`: all settings of a service, given the module of its twistd options."""

from importlib import import_module
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from settings_tables import markdown
from sphinx.util.docutils import SphinxDirective


class LarsSettings(SphinxDirective):
    """Writes the definition list of the settings into the page."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        options: Any = import_module(self.arguments[0]).Options
        source = f"settings of {self.arguments[0]}"
        container = nodes.container()
        self.state.nested_parse(StringList(markdown(options.settings_type), source), 0, container)
        return container.children


def setup(app: Any) -> dict[str, object]:
    """Called by Sphinx."""
    app.add_directive("lars-settings", LarsSettings)
    return {"parallel_read_safe": True}
