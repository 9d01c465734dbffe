"""What `make test-clients` has built of each client: a driver for tests, and the example."""

import os
from dataclasses import dataclass
from pathlib import Path

CLIENTS = Path(__file__).parents[2] / "clients"
PROTOBUF_JAR = os.environ.get("PROTOBUF_JAR", "/usr/share/java/protobuf.jar")


@dataclass(frozen=True, slots=True)
class Built:
    """One client's programs, as commands."""

    name: str
    driver: tuple[str, ...]
    """Makes one client, and calls it as its standard input says; its source documents its input and output."""
    example: tuple[str, ...]

    @property
    def readme(self) -> str:
        """Its README."""
        return (CLIENTS / self.name / "README.md").read_text(encoding="utf-8")


def _java(*folders: str) -> str:
    jars = [str(CLIENTS / "java" / "target" / folder) for folder in (*folders, "lars-client.jar")]
    return ":".join([*jars, PROTOBUF_JAR])


_CPP = CLIENTS / "cpp" / "build" / "release"


@dataclass(frozen=True, slots=True)
class Cached:
    """The driver of one client that chooses by itself; its arguments: the cache's ttl, the folder of saved routes."""

    name: str
    driver: tuple[str, ...]

    def with_cache(self, ttl: float, state_dir: str) -> tuple[str, ...]:
        """The driver's command; the ttl is in seconds, and without a folder there are no saved routes."""
        return (*self.driver, str(round(ttl * 1000)), state_dir)


CACHED = (Cached("cpp", (str(_CPP / "tests" / "driver"),)),)
"""Java's has a suite of its own: the JVM's first calls take long, and hosts that take long get fewer."""

BUILT = (
    Built("cpp", (str(_CPP / "tests" / "driver"),), (str(_CPP / "lars-example"),)),
    Built(
        "java",
        ("java", "-cp", _java("test-classes"), "lars.client.Driver"),
        ("java", "-cp", _java("example"), "Example"),
    ),
)
