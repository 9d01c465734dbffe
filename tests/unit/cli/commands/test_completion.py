"""`lars completion`, and the completion of commands itself."""

import os
import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.unit.cli.command import DEADLINE, arguments, environment, run, run_here


class CompletionTests(SynchronousTestCase):
    def test_shell_completes_commands(self) -> None:
        for typed, completed in (("lars rep", ["plain,report"]), ("lars route i", ["plain,import"])):
            word = str(len(typed.split()) - 1)
            ended = run(_LARS_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=word)
            self.assertEqual((ended.out.splitlines(), ended.err), (completed, ""))

    def test_completion_is_the_script_of_each_shell(self) -> None:
        for shell, line in (("bash", "complete -o nosort"), ("zsh", "#compdef lars"), ("fish", "complete --no-files")):
            ended = run_here("completion", shell)
            self.assertEqual((ended.status, ended.err), (0, ""))
            self.assertIn(line, ended.out)
        self.assertEqual(run_here("completion", "tcsh").status, 2)

    def test_bash_completes_with_that_script(self) -> None:
        bash = shutil.which("bash")
        assert bash is not None
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / "lars").write_text(f'#!/bin/sh\nexec {arguments()[0]} -m lars.cli "$@"\n')
        (folder / "lars").chmod(0o755)
        script = """
            eval "$(lars completion bash)"
            COMP_WORDS=(lars simul) COMP_CWORD=1
            _lars_completion lars
            echo "${COMPREPLY[@]}"
        """
        environ = environment(PATH=f"{folder}:{os.environ['PATH']}")
        done = subprocess.run([bash, "-c", script], env=environ, capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual((done.stdout, done.stderr), ("simulate\n", ""))
