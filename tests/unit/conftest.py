"""Under pytest, unit tests run in a folder of their own, as trial has them do: what `mktemp` makes stays there."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package", autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("unit"))
    yield
    os.chdir(before)
