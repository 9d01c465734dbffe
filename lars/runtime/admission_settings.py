"""The settings of who may use a port, which services share."""

from typing import Any

from lars.errors import SettingsError
from lars.networks import ANY, NONE, Networks, networks
from lars.settings import absolute_path, setting


def some_networks(text: str) -> Networks:
    """Networks, or any; raises SettingsError for none."""
    found = networks(text)
    if not found:
        raise SettingsError("no network is named: write one such as 10.0.0.0/8, or any")
    return found


def allow_setting(section: str, what: str) -> Any:
    """A field `allow`: key allow of the service's section, --allow; `what` peers do, such as "agents connect"."""
    return setting(ANY, section, some_networks, f"Networks from which {what}, by commas, such as 10.0.0.0/8; any: all")


def token_file_setting(section: str, help: str) -> Any:
    """A field `token_file`: key token_file of the service's section, --token-file."""
    return setting("", section, absolute_path, help)


def without_token_setting(section: str) -> Any:
    """A field `allow_without_token`: key allow_without_token of the service's section, --allow-without-token."""
    help = "Networks, by commas, whose agents need no token where token_file is set, such as C++ ones"
    return setting(NONE, section, networks, help)


def tls_setting(section: str, what: str) -> Any:
    """A field `tls_cert`, `tls_key` or `tls_ca`: the key of the same name in the section, and the option."""
    return setting("", section, absolute_path, f"PEM file with {what}; with tls_cert, tls_key and tls_ca: TLS")
