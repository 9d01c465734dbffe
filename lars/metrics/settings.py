"""The metrics setting, which every service shares."""

from typing import Any

from lars.settings import endpoint, setting


def endpoint_or_off(text: str) -> str:
    """A place to listen, as a Twisted endpoint string, or nothing; raises SettingsError unless it is one of them."""
    return endpoint(text) if text.strip() else ""


def metrics_setting(section: str) -> Any:
    """A field `metrics`: key metrics of the service's section, --metrics; empty, the default, is off."""
    return setting(
        "",
        section,
        endpoint_or_off,
        "Where /metrics, /healthz and /readyz are served, as a Twisted endpoint string such as "
        "tcp:9101:interface=127.0.0.1; empty: nowhere",
    )
