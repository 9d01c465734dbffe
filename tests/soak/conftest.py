"""The soak tests use the integration tests' fixtures."""

from tests.integration.conftest import *  # noqa: F403  # fixtures are found by being here
