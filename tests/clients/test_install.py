"""The C++ client, installed, is found by another CMake project, as a static and as a shared library."""

import subprocess
from pathlib import Path

import pytest

from tests.clients.built import CLIENTS

CMAKE = """
cmake_minimum_required(VERSION 3.21)
project(caller LANGUAGES CXX)
find_package(lars-client 0.1 REQUIRED)
add_executable(caller caller.cpp)
target_link_libraries(caller PRIVATE lars::client)
"""

CALLER = """
#include <lars/client.h>
#include <iostream>
int main() {
    const lars::Client client("127.0.0.1:1");
    try {
        std::cout << client.get_host(1, 1) << std::endl;
    } catch (const lars::AgentUnavailable& error) {
        std::cout << error.what() << std::endl;
    }
}
"""


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("shared", ["OFF", "ON"])
def test_installed_library_is_found_and_linked(tmp_path: Path, shared: str) -> None:
    build, prefix, caller = tmp_path / "build", tmp_path / "prefix", tmp_path / "caller"
    options = [f"-DBUILD_SHARED_LIBS={shared}", "-DBUILD_TESTING=OFF", "-DLARS_EXAMPLE=OFF"]
    run("cmake", "-S", CLIENTS / "cpp", "-B", build, f"-DCMAKE_INSTALL_PREFIX={prefix}", *options)
    run("cmake", "--build", build)
    run("cmake", "--install", build)
    assert [path.name for path in (prefix / "include").rglob("*.h")] == ["client.h"]
    caller.mkdir()
    (caller / "CMakeLists.txt").write_text(CMAKE)
    (caller / "caller.cpp").write_text(CALLER)
    run("cmake", "-S", caller, "-B", caller / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", caller / "build")
    assert run(caller / "build" / "caller").startswith(
        "the agent at 127.0.0.1:3 cannot be reached (Connection refused)"
    )
