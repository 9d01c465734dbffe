"""How Sphinx builds the documents; `make docs` runs it so that every warning is an error."""

import re
import sys
from pathlib import Path

from lars import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Lars"
author = "the Lars authors"
version = release = __version__
html_title = f"Lars {release}"
html_theme = "furo"
html_show_copyright = False
html_copy_source = False

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "repository_links",
    "settings_directive",
]
exclude_patterns = ["_ext"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4

default_role = "code"  # docstrings write `name`
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

# Types of other projects: their inventories would have to be fetched, and the build uses no network.
nitpick_ignore_regex = [("py:.*", r"(collections\.abc|types|twisted|asyncio|ssl)\..*|IReactor")]


def name_interfaces(app, what, name, obj, options, signature, returned):  # type: ignore[no-untyped-def]
    """Shows an interface of zope.interface in a signature by its name."""
    return re.sub(r"<InterfaceClass [\w.]*?(\w+)>", r"\1", signature or "") or None, returned


def setup(app):  # type: ignore[no-untyped-def]
    """Called by Sphinx."""
    app.connect("autodoc-process-signature", name_interfaces)


# What the Debian package installs: lars(1) and lars-services(8).
man_pages = [
    ("commands", "lars", "service discovery and load balancing: which node do I call?", "", 1),
    ("operations", "lars-services", "running the services of Lars", "", 8),
]
