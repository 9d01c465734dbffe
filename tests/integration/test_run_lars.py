"""`run_lars`: the commands of the C++ script, with twistd and lars replaced by programs that log their arguments."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from tests.unit.cli.command import DEADLINE, Ended

SCRIPT = Path(__file__).parents[2] / "run_lars"

TWISTD = """#!/bin/bash
# Stays in the background as the service, as twistd does; its arguments and folder are in $0.log.
for word in "$@"; do
  case $word in --pidfile=*) pidfile=${word#--pidfile=} ;; esac
done
{ pwd; printf '%s\\n' "$@"; } >"$0.log"
case "$*" in *--broken*) exit 1 ;; esac
exec_as_service() { exec {python} -c 'import time; time.sleep(60)' "$@"; }
exec_as_service "$@" </dev/null >/dev/null 2>&1 &
echo $! >"$pidfile"
"""

LARS = """#!/bin/bash
echo "$@"
case $1 in get-host) [ "$2" != 9 ] || exit 1 ;; esac
"""


class RunLarsTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory(prefix="run-lars-")
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name, "home")
        self.bin = self.home / ".venv" / "bin"
        self.bin.mkdir(parents=True)
        shutil.copy(SCRIPT, self.home)
        self.program("twistd", TWISTD.replace("{python}", sys.executable))
        self.program("lars", LARS)
        self.addCleanup(self.run_lars, "stop", "all")

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def run_lars(self, *given: str, **environ: str) -> Ended:
        done = subprocess.run(
            [self.home / "run_lars", *given],
            cwd="/",
            env={**{name: value for name, value in os.environ.items() if name != "RUN_DIR"}, **environ},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def pid(self, name: str) -> int:
        return int((self.home / "run" / f"{name}.pid").read_text())

    def started_with(self) -> list[str]:
        """The folder in which twistd ran, and its arguments."""
        return (self.bin / "twistd.log").read_text().splitlines()

    def test_each_command_starts_its_service_with_its_own_files(self) -> None:
        for word, name in (
            ("dns", "lars-dns"),
            ("reporter", "lars-reporter"),
            ("lbagent", "lars-agent"),
            ("web", "lars-web"),
            ("gateway", "lars-gateway"),
        ):
            ended = self.run_lars(word)
            self.assertEqual((ended.status, ended.err), (0, ""))
            self.assertIn(f"{name} started (pid {self.pid(name)})", ended.out)
            folder, *arguments = self.started_with()
            self.assertEqual(folder, str(self.home))
            self.assertEqual(arguments[-1], name)
            self.assertIn(f"--pidfile={self.home}/run/{name}.pid", arguments)
            self.assertIn(f"--logfile={self.home}/run/{name}.log", arguments)

    def test_conf_file_is_read_if_it_exists_and_options_go_to_the_service(self) -> None:
        conf = self.home / "conf" / "lars-agent.conf"
        conf.parent.mkdir()
        conf.touch()
        self.run_lars("lbagent", "--dns", "10.0.0.1:7778", "a b")
        arguments = self.started_with()
        self.assertEqual(
            arguments[arguments.index("lars-agent") + 1 :], ["--config", str(conf), "--dns", "10.0.0.1:7778", "a b"]
        )

    def test_run_dir_is_the_folder_of_pid_and_log(self) -> None:
        elsewhere = self.home / "else where"
        self.run_lars("dns", RUN_DIR=str(elsewhere))
        self.assertTrue((elsewhere / "lars-dns.pid").exists())
        self.assertIn("lars-dns stopped", self.run_lars("stop", "dns", RUN_DIR=str(elsewhere)).out)

    def test_service_that_runs_is_not_started_again(self) -> None:
        self.run_lars("dns")
        pid = self.pid("lars-dns")
        ended = self.run_lars("dns")
        self.assertEqual(ended, Ended(1, "", f"run_lars: lars-dns is already running (pid {pid})\n"))

    def test_pid_file_of_a_service_that_died_or_of_another_program_is_ignored(self) -> None:
        self.run_lars("dns")
        os.kill(self.pid("lars-dns"), signal.SIGKILL)
        self.assertEqual(self.run_lars("dns").status, 0)
        os.kill(self.pid("lars-dns"), signal.SIGKILL)
        (self.home / "run" / "lars-dns.pid").write_text(f"{os.getpid()}\n")
        self.assertIn("lars-dns is not running", self.run_lars("status").out)
        self.assertEqual(self.run_lars("dns").status, 0)

    def test_stop_ends_one_or_all(self) -> None:
        self.run_lars("dns")
        self.run_lars("reporter")
        self.assertEqual(self.run_lars("stop", "dns"), Ended(0, "lars-dns stopped\n", ""))
        self.assertEqual(self.run_lars("stop", "dns"), Ended(0, "lars-dns is not running\n", ""))
        self.assertIn("lars-reporter stopped\n", self.run_lars("stop", "all").out)
        self.assertNotIn("pid", self.run_lars("status").out)

    def test_status_lists_what_runs(self) -> None:
        self.run_lars("reporter")
        pid = self.pid("lars-reporter")
        self.assertEqual(
            self.run_lars("status").out,
            f"lars-dns is not running\nlars-reporter is running (pid {pid})\nlars-agent is not running\n"
            "lars-web is not running\nlars-gateway is not running\n",
        )

    def test_start_that_fails_is_an_error(self) -> None:
        ended = self.run_lars("dns", "--broken")
        self.assertEqual((ended.status, ended.out), (1, ""))
        self.assertIn("run_lars: lars-dns did not start", ended.err)

    def test_tests_are_lars_commands(self) -> None:
        for given, command in (
            ("gethost 1 2", "get-host 1 2"),
            ("getroute 1 2", "get-route 1 2"),
            ("report 1 2 10.0.0.1 80 1", "report 1 2 10.0.0.1:80 1"),
            ("simulator 1 2", "simulate 1 2 --err-rate 2 --count 100"),
            ("simulator 1 2 5", "simulate 1 2 --err-rate 5 --count 100"),
            ("simulator 1 2 5 1000", "simulate 1 2 --err-rate 5 --count 1000"),
            ("qps 4", "qps --threads 4"),
        ):
            self.assertEqual(self.run_lars("test", *given.split()), Ended(0, f"{command}\n", ""), given)

    def test_example_gets_a_host_and_reports_on_it(self) -> None:
        self.program("lars", '#!/bin/bash\n[ $1 = get-host ] && echo 10.0.0.1:80 || echo "$@"\n')
        self.assertEqual(
            self.run_lars("test", "example", "1", "2").out, "host to call: 10.0.0.1:80\nreport 1 2 10.0.0.1:80 0\n"
        )

    def test_example_ends_where_there_is_no_host(self) -> None:
        self.assertEqual(self.run_lars("test", "example", "9", "9").status, 1)

    def test_reactor_is_the_benchmark_of_the_wire_protocol(self) -> None:
        self.program("python", '#!/bin/bash\npwd\necho "$@"\n')
        ended = self.run_lars("reactor", "qps")
        self.assertEqual(ended.status, 1)
        self.assertIn("run this script in a checkout of Lars", ended.err)
        (self.home / "bench").mkdir()
        for words, arguments in (
            (("server",), "-m bench.services.wire_echo 7777"),
            (("server", "7790"), "-m bench.services.wire_echo 7790"),
            (("qps",), "-m bench wire --seconds 10"),
            (("qps", "2"), "-m bench wire --seconds 2"),
        ):
            self.assertEqual(self.run_lars("reactor", *words), Ended(0, f"{self.home}\n{arguments}\n", ""))
        self.assertEqual(self.run_lars("reactor", "client").status, 2)

    def test_anything_else_is_wrong_usage(self) -> None:
        for given in ("", "nosuch", "stop", "stop nosuch", "test", "test nosuch", "test gethost 1", "test qps"):
            ended = self.run_lars(*given.split())
            self.assertEqual((ended.status, ended.out), (2, ""), given)
            self.assertIn("\nrun_lars: ", ended.err)

    def test_help_is_on_standard_output(self) -> None:
        ended = self.run_lars("help")
        self.assertEqual((ended.status, ended.err), (0, ""))
        self.assertIn("run_lars test simulator MODID CMDID", ended.out)

    def test_programs_are_found_on_path_where_there_is_no_venv(self) -> None:
        shutil.move(self.bin, self.home / "elsewhere")
        path = f"{self.home}/elsewhere:{os.environ['PATH']}"
        self.assertEqual(self.run_lars("test", "gethost", "1", "2", PATH=path).out, "get-host 1 2\n")
