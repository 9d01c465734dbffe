"""Settings of the services: declared as a frozen dataclass, resolved once from all sources.

A service makes the fields of its dataclass with `setting`; `resolve` fills it, and a subclass of `ServiceOptions` lets
twistd's command line set each of them. Every error names the file, section and key, or the option.

See docs/design/settings.md, sources.
"""

from lars.settings.conf_file import read_conf
from lars.settings.fields import Legacy, described, legacy_key, legacy_listen, names_given, sections, setting
from lars.settings.log_format import log_format_setting
from lars.settings.options import ServiceOptions
from lars.settings.sources import resolve
from lars.settings.values import absolute_path, endpoint, integer, number, ratio, seconds, site_url, text_of_file

__all__ = [
    "Legacy",
    "ServiceOptions",
    "absolute_path",
    "described",
    "endpoint",
    "integer",
    "legacy_key",
    "legacy_listen",
    "log_format_setting",
    "names_given",
    "number",
    "ratio",
    "read_conf",
    "resolve",
    "seconds",
    "sections",
    "setting",
    "site_url",
    "text_of_file",
]
