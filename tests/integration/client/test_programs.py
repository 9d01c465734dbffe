"""Programs of their own that use the blocking client: forks, exits, kills, threads, and what a cached call costs."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

import lars
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.waiting import until

REPORTS = "lars_agent_reports_total"


async def program(agent: LoneAgent, text: str, ends_with: int = 0) -> str:
    """Runs a program that finds the agent's address in sys.argv[1]; what it printed."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(text), agent.address],
            env={**os.environ, "PYTHONPATH": str(Path(lars.__file__).parent.parent)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    done = await deferToThread(run)
    assert (done.returncode, done.stderr) == (ends_with, ""), done
    return done.stdout


async def counts(reactor: Any, agent: LoneAgent, reports: int) -> None:
    async def counted() -> bool:
        return await agent.counted(REPORTS) == reports

    await until(reactor, counted, f"{reports} reports to be counted")


async def test_cached_get_host_makes_no_system_call(agent: LoneAgent) -> None:
    await agent.up()
    # A seccomp filter has the kernel kill the process at any system call but write and exit_group.
    said = await program(
        agent,
        """
        import ctypes, os, platform, struct, sys
        from lars.client import LarsClient
        client = LarsClient(sys.argv[1], cache_ttl=60)
        client.register(1, 1)
        client.get_host(1, 1)
        write, exit_group = {"x86_64": (1, 231), "aarch64": (64, 94)}[platform.machine()]
        LOAD_NUMBER, IF_EQUAL, RETURN, KILL, ALLOW = (0x20, 0, 0, 0), 0x15, 0x06, 0x80000000, 0x7FFF0000
        rules = [LOAD_NUMBER, (IF_EQUAL, 2, 0, write), (IF_EQUAL, 1, 0, exit_group),
                 (RETURN, 0, 0, KILL), (RETURN, 0, 0, ALLOW)]
        code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *rule) for rule in rules))
        program = ctypes.create_string_buffer(struct.pack("HP", len(rules), ctypes.addressof(code)))
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
        if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
            sys.exit(f"no seccomp: {os.strerror(ctypes.get_errno())}")
        for number in range(1000):
            client.get_host(1, 1)
        os.write(1, b"asked 1000 times")
        os._exit(0)
        """,
    )
    assert said == "asked 1000 times"


async def test_successes_are_sent_before_a_fork_and_each_process_sends_its_own(reactor: Any, agent: LoneAgent) -> None:
    await agent.up()
    said = await program(
        agent,
        """
        import os, sys
        from lars.client import LarsClient
        client = LarsClient(sys.argv[1], cache_ttl=60)
        client.register(1, 1)
        for _ in range(10):
            client.report(client.get_host(1, 1))
        child = os.fork()
        for _ in range(100 if child else 1000):
            client.report(client.get_host(1, 1))
        client.close()
        if not child:
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
    )
    assert said == "7\n"
    await counts(reactor, agent, 1110)


async def test_client_works_where_eventlet_has_taken_poll_away(reactor: Any, agent: LoneAgent) -> None:
    await agent.up()
    await program(
        agent,
        """
        import select, sys
        del select.poll
        from lars.client import LarsClient
        with LarsClient(sys.argv[1], cache=False) as client, client.call(1, 1):
            pass
        """,
    )
    await counts(reactor, agent, 1)


async def test_successes_are_sent_at_exit(reactor: Any, agent: LoneAgent) -> None:
    await agent.up()
    await program(
        agent,
        """
        import asyncio, sys
        from lars.client import LarsClient
        from lars.client.asyncio import LarsClient as AsyncioClient
        client = LarsClient(sys.argv[1], cache_ttl=60)
        client.register(1, 1)
        for _ in range(10):
            client.report(client.get_host(1, 1))
        other = AsyncioClient(sys.argv[1], cache_ttl=60)
        async def main():
            for _ in range(10):
                other.report(await other.get_host(1, 1))
        asyncio.run(main())
        """,
    )
    await counts(reactor, agent, 20)


async def test_kill_9_loses_no_more_than_a_ttl_of_successes(reactor: Any, agent: LoneAgent) -> None:
    await agent.up()
    said = await program(
        agent,
        """
        import os, signal, sys, time
        from lars.client import LarsClient
        client = LarsClient(sys.argv[1], cache_ttl=0.2)
        client.register(1, 1)
        made, began = [], time.monotonic()
        while time.monotonic() - began < 1.0:
            client.report(client.get_host(1, 1))
            made.append(time.monotonic())
            time.sleep(0.001)
        print(len(made), sum(at > made[-1] - 0.25 for at in made), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        ends_with=-signal.SIGKILL,
    )
    reported, of_the_last_ttl = map(int, said.split())
    assert reported - of_the_last_ttl <= await agent.counted(REPORTS) <= reported


async def test_thousand_threads_report_everything_once(reactor: Any, agent: LoneAgent) -> None:
    await agent.up()
    said = await program(
        agent,
        """
        import sys, threading
        from lars.client import LarsClient
        client = LarsClient(sys.argv[1], timeout=20, cache_ttl=0.01)
        client.register(1, 1)
        errors = []
        ready = threading.Barrier(1000)
        def work():
            try:
                ready.wait(50)
                for _ in range(20):
                    client.report(client.get_host(1, 1))
            except BaseException as error:
                errors.append(error)
        threads = [threading.Thread(target=work) for _ in range(1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.close()
        print(errors)
        """,
    )
    assert said == "[]\n"
    await counts(reactor, agent, 20_000)


CHILDREN = """
    import concurrent.futures, multiprocessing, os, sys
    from lars.client import LarsClient
    client = None
    def work(number):
        global client
        if client is not None and number % 2:
            client.close()
            client = None
        client = client or LarsClient(sys.argv[1], cache_ttl=60)
        client.register(1, 1)
        host = client.get_host(1, 1)
        client.report(host, 1)
        for _ in range(100):
            client.report(client.get_host(1, 1))
        return number
    def forked(number):
        child = os.fork()
        if not child:
            work(number)
            sys.exit(3)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    def started(context):
        children = [context.Process(target=work, args=(number,)) for number in range(2)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        return [child.exitcode for child in children]
    def pooled(context):
        with concurrent.futures.ProcessPoolExecutor(2, context) as pool:
            return list(pool.map(work, range(2)))
    def old_pool(context):
        pool = context.Pool(2)
        done = pool.map(work, range(2), chunksize=1)
        pool.close()
        pool.join()
        return done
"""


@pytest.mark.parametrize(
    ("ways", "children"),
    [
        ("[forked(0), forked(1)] == [3, 3]", 2),
        ("started(multiprocessing.get_context('fork')) == [0, 0]", 2),
        ("pooled(multiprocessing.get_context('fork')) == [0, 1]", 2),
        ("old_pool(multiprocessing.get_context('fork')) == [0, 1]", 2),
    ],
)
async def test_child_processes_send_everything_at_their_end(
    reactor: Any, agent: LoneAgent, ways: str, children: int
) -> None:
    await agent.up()
    await program(
        agent, f"{textwrap.dedent(CHILDREN)}\nclient = LarsClient(sys.argv[1])\nassert {ways}\nclient.close()"
    )
    await counts(reactor, agent, children * 101)


@pytest.mark.parametrize("way", ["spawn", "forkserver"])
async def test_spawned_processes_send_everything_at_their_end(
    reactor: Any, agent: LoneAgent, tmp_path: Path, way: str
) -> None:
    await agent.up()
    script = tmp_path / "spawning.py"
    script.write_text(
        textwrap.dedent(CHILDREN)
        + "if __name__ == '__main__':\n"
        + f"    context = multiprocessing.get_context({way!r})\n"
        + "    assert started(context) == [0, 0]\n"
        + "    assert pooled(context) == [0, 1]\n"
    )
    await program(
        agent, f"import runpy, sys; sys.argv[0] = {str(script)!r}; runpy.run_path(sys.argv[0], None, '__main__')"
    )
    await counts(reactor, agent, 4 * 101)


async def test_quiet_process_sends_what_it_gathered_without_a_next_call(reactor: Any, agent: LoneAgent) -> None:
    await agent.up()
    with quiet_process(agent) as process:
        await counts(reactor, agent, 2 * 301)
        assert process.poll() is None


async def test_long_ttl_passes_without_a_next_call_and_what_was_gathered_is_sent(
    reactor: Any, agent: LoneAgent
) -> None:
    await agent.up()
    text = """
        import sys, time
        from lars.client import LarsClient, process
        process.ROUND = 0.01
        client = LarsClient(sys.argv[1], cache_ttl=1)
        client.register(1, 1)
        asked = time.monotonic()
        while time.monotonic() < asked + 0.8:  # dozens of rounds after the question
            client.report(client.get_host(1, 1))
            time.sleep(0.1)
        for _ in range(300):
            client.report(client.get_host(1, 1))
        print("quiet", flush=True)
        sys.stdin.read()
        os._exit(0)
    """
    command = [sys.executable, "-c", "import os" + textwrap.dedent(text), agent.address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert await deferToThread(process.stdout.readline) == "quiet\n"

        async def counted() -> bool:
            return await agent.counted(REPORTS) >= 300

        await until(reactor, counted, "the successes to be counted", 4)
        process.stdin.close()


async def test_worker_that_ends_by_os_exit_as_those_of_billiards_pool_do_has_sent_everything(
    reactor: Any, agent: LoneAgent
) -> None:
    await agent.up()
    await program(
        agent,
        """
        import os, sys, time, types
        sys.modules["billiard.pool"] = types.ModuleType("billiard.pool")  # what tells that the program uses it
        from lars.client import LarsClient
        client = LarsClient(sys.argv[1], cache_ttl=60)
        client.register(1, 1)
        for _ in range(100):
            client.report(client.get_host(1, 1))
        time.sleep(1)  # as Worker._do_exit of billiard 3.3 to 4.3
        os._exit(0)
        """,
    )
    await counts(reactor, agent, 100)


@contextlib.contextmanager
def quiet_process(agent: LoneAgent) -> Iterator[subprocess.Popen[bytes]]:
    """A process, and a child of it, that make calls and then wait until they may end."""
    text = """
        import os, sys
        from lars.client import LarsClient
        client = LarsClient(sys.argv[1])
        child = None
        for _ in range(2):
            client.register(1, 1)
            client.report(client.get_host(1, 1), 1)
            for _ in range(300):
                client.report(client.get_host(1, 1))
            if child is None:
                child = os.fork()
                if child:
                    break
        sys.stdin.read()
        os._exit(0)
    """
    command = [sys.executable, "-c", textwrap.dedent(text), agent.address]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


async def test_process_that_sigterm_ends_has_sent_half_of_its_successes_since_a_failure(agent: LoneAgent) -> None:
    await agent.up()
    await program(
        agent,
        """
        import os, signal, sys
        from lars.client import LarsClient
        client = LarsClient(sys.argv[1], cache_ttl=60)
        client.register(1, 1)
        client.report(client.get_host(1, 1), 1)
        for _ in range(1000):
            client.report(client.get_host(1, 1))
        os.kill(os.getpid(), signal.SIGTERM)
        """,
        ends_with=-signal.SIGTERM,
    )
    assert 500 <= await agent.counted(REPORTS) <= 1001


async def test_client_that_is_dropped_sends_everything_and_warns(reactor: Any, agent: LoneAgent) -> None:
    await agent.up()
    said = await program(
        agent,
        """
        import asyncio, gc, sys, warnings
        from lars.client import LarsClient
        from lars.client.asyncio import LarsClient as AsyncioClient
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for request in range(20):
                client = LarsClient(sys.argv[1])
                client.register(1, 1)
                for _ in range(10):
                    client.report(client.get_host(1, 1))
            client = None
            async def main():
                client = AsyncioClient(sys.argv[1])
                for _ in range(10):
                    client.report(await client.get_host(1, 1))
            asyncio.run(main())
            gc.collect()
        kinds = {warning.category.__name__ for warning in caught}
        print(len(caught), kinds, caught[0].message)
        """,
    )
    assert said.startswith("21 {'ResourceWarning'} unclosed <LarsClient of the agent at 127.0.0.1:"), said
    await counts(reactor, agent, 210)


async def test_client_that_lives_until_the_end_does_not_warn(reactor: Any, agent: LoneAgent) -> None:
    await agent.up()
    await program(
        agent,
        """
        import sys
        from lars.client import LarsClient
        client = LarsClient(sys.argv[1])
        client.register(1, 1)
        client.report(client.get_host(1, 1))
        """,
    )
    await counts(reactor, agent, 1)
