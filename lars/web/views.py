"""Templates: compiled at start, once for each language, with everything escaped but their own markup."""

from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from lars.db.audit import Edit
from lars.route import HostAddress, format_ip
from lars.web import formats
from lars.web.alarm_texts import alarm_text
from lars.web.audit_lines import changed_lines
from lars.web.language import LANGUAGES, Translatable, translations
from lars.web.page_request import Page, PageRequest
from lars.web.reason_texts import reason_text

FOLDER = Path(__file__).parent / "templates"

NOTICES: Mapping[str, Translatable] = {
    "added": Translatable("Hosts added: %(n)s."),
    "removed": Translatable("Hosts removed: %(n)s."),
    "replaced": Translatable("The list of hosts is saved."),
    "same": Translatable("There was nothing to change."),
    "host": Translatable("The host is saved."),
    "changed": Translatable("Hosts changed: %(n)s."),
    "drained": Translatable("Hosts drained: %(n)s."),
    "undrained": Translatable("Hosts whose drain is ended: %(n)s."),
    "settings": Translatable("The settings are saved; agents have them within a second."),
    "renamed": Translatable("The name is saved."),
    "imported": Translatable("Modules changed by the import: %(n)s."),
    "password": Translatable("Your password is changed; other browsers are signed out."),
    "user": Translatable("The user is saved."),
    "gone": Translatable("The user is removed."),
    "token": Translatable("The token is removed."),
    "session": Translatable("The browser is signed out."),
    "ended": Translatable("Sessions ended: %(n)s."),
    "dismissed": Translatable("The agent is dismissed."),
    "reports": Translatable("The agent reports: stop it first, and wait three minutes."),
    "out": Translatable("You are signed out."),
}
"""What a page says after a form is done. The address names one of these, so a link cannot make it say anything else."""


class Views:
    """Renders pages. `address` gives the address of a static file."""

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
            translated=lambda text: text.to(catalogue),
            reason=lambda text: reason_text(text).to(catalogue),
            alarm_text=lambda text: alarm_text(text).to(catalogue),
        )
        environment.globals.update(address=address, percent=formats.percent, language=language, host=HostAddress)
        return environment

    def render(self, page: Page, request: PageRequest) -> bytes:
        """A page as HTML."""
        template = self._templates[request.language, page.template]

        def moment(at: float) -> str:
            return formats.moment(at, request.zone)

        def until(at: float) -> str:
            return formats.until(at, request.now, request.zone)

        def ago(then: float) -> tuple[int, str]:
            return formats.age(then, request.now)

        def changed(edit: Edit) -> tuple[list[str], list[str]]:
            return changed_lines(edit, moment)

        notice = NOTICES.get(request.field("notice"))
        if notice is not None and "%(n)s" in notice.text:
            notice = Translatable(notice.text, n=request.number("n", 0, 0, 10**9))
        values = {
            "request": request,
            "base": request.prefix,
            "moment": moment,
            "until": until,
            "remaining": lambda at: formats.remaining(at, request.now),
            "changed_lines": changed,
            "ago": ago,
            "notice": notice,
            **page.values,
        }
        return template.render(values).encode()
