"""Why agents see a host as they do, in the language of the page: pure."""

import re

from lars.web.language import Translatable, untranslated

_FAILED = re.compile(r"(\d+) of (\d+) recent calls failed(; .*)?")


def reason_text(reason: str) -> Translatable:
    """A reason as an agent says it; what is no text of Lars's own, such as "http 503", stays as it is."""
    found = _FAILED.fullmatch(reason)
    if found is None:
        return untranslated(reason)
    values = {"failed": found[1], "calls": found[2]}
    if found[3]:  # what its health checks say
        return Translatable("%(failed)s of %(calls)s recent calls failed; %(check)s", **values, check=found[3][2:])
    return Translatable("%(failed)s of %(calls)s recent calls failed", **values)
