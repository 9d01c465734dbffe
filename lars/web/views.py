"""Templates: compiled at start, once for each language, with everything escaped that they do not make themselves."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from lars.db.calls import Trouble
from lars.route import HostAddress, format_ip
from lars.web import formats
from lars.web.language import LANGUAGES, Said, translations
from lars.web.page_request import Page, Visit

FOLDER = Path(__file__).parent / "templates"

NOTICES: Mapping[str, Said] = {
    "added": Said("Hosts added: %(n)s."),
    "removed": Said("Hosts taken out: %(n)s."),
    "replaced": Said("The list of hosts is saved."),
    "same": Said("Nothing had to be changed."),
    "renamed": Said("The name is saved."),
    "imported": Said("Modules changed by the import: %(n)s."),
    "password": Said("Your password is changed; other browsers are signed out."),
    "user": Said("The user is saved."),
    "gone": Said("The user is removed."),
    "token": Said("The token is removed."),
    "out": Said("You are signed out."),
}
"""What a page says after a form was done; the address names it, so that nobody can make it say something else."""


class Views:
    """Renders pages. `address` says where a static file is."""

    def __init__(self, address: Callable[[str], str]) -> None:
        self._templates: dict[tuple[str, str], Template] = {}
        for language in LANGUAGES:
            environment = self._environment(language, address)
            for name in environment.list_templates(["html"]):
                self._templates[language, name] = environment.get_template(name)

    def _environment(self, language: str, address: Callable[[str], str]) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(FOLDER),
            extensions=["jinja2.ext.i18n"],
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        catalogue = translations(language)
        environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]  # by i18n
        environment.filters.update(
            whole=formats.whole,
            rate=formats.rate,
            iso=formats.iso,
            ip=format_ip,
            said=lambda said: said.to(catalogue),
        )
        environment.globals.update(
            address=address, percent=formats.percent, language=language, host=HostAddress, UTC=UTC, Trouble=Trouble
        )
        return environment

    def render(self, page: Page, visit: Visit) -> bytes:
        """A page as HTML."""
        template = self._templates[visit.language, page.template]

        def moment(at: float) -> str:
            return formats.moment(at, visit.zone)

        def ago(then: float) -> tuple[int, str]:
            return formats.age(then, visit.now)

        said = NOTICES.get(visit.field("said"))
        notice = Said(said.text, n=visit.number("n", 0, 0, 10**9)) if said and "%(n)s" in said.text else said
        values = {"visit": visit, "moment": moment, "ago": ago, "notice": notice, "now": time.time, **page.values}
        return template.render(values).encode()
