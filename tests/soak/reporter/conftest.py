"""The soak tests of lars-reporter use the fixtures of its integration tests."""

from tests.integration.dns.conftest import _shaken_mariadb, shaky_mariadb, shaky_url  # noqa: F401  # fixtures
from tests.integration.reporter.conftest import *  # noqa: F403  # fixtures are found by being here
