"""Tokens in a file: which are accepted, and what becomes of them when the file changes."""

import os
from pathlib import Path

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.token_file import TokenFile, TokenFileError

A, B, C = "a" * 32, "b" * 32, "c" * 32


class TokenFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.write(f"# this year's\n{A}\n\n  {B}  \n")

    def write(self, text: str) -> None:
        """Replaces the file, as a tool that rotates tokens does."""
        new = self.path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        os.replace(new, self.path)

    def read(self) -> TokenFile:
        return TokenFile(str(self.path))

    def test_every_token_of_the_file_is_accepted_and_nothing_else(self) -> None:
        tokens = self.read()
        for token, accepted in ((A, True), (B, True), (C, False), ("", False), (A[:-1], False), ("é" * 32, False)):
            self.assertEqual(tokens.accepts(token), accepted, token)

    def test_first_token_is_presented(self) -> None:
        self.assertEqual(self.read().first, A)

    def test_changed_file_is_read_again(self) -> None:
        tokens = self.read()
        self.write(f"{C}\n{A}\n")
        tokens.reload()
        self.assertEqual([tokens.accepts(token) for token in (A, B, C)], [True, False, True])

    def test_file_that_cannot_be_used_any_more_leaves_the_tokens_and_is_one_line(self) -> None:
        tokens = self.read()
        with capturedLogs() as events:
            self.write("short\n")
            for _ in range(3):
                tokens.reload()
            self.path.unlink()
            for _ in range(3):
                tokens.reload()
        self.assertTrue(tokens.accepts(A))
        [event] = events
        self.assertIn("the tokens that were read before stay in use", event["log_format"])

    def test_file_that_can_be_used_again_is(self) -> None:
        tokens = self.read()
        self.path.unlink()
        tokens.reload()
        self.write(C)
        tokens.reload()
        self.assertEqual([tokens.accepts(token) for token in (A, C)], [False, True])

    def test_what_is_no_file_of_tokens_is_refused_with_what_to_do(self) -> None:
        for text, problem in (
            ("", "there is no token in it; make one by `openssl rand -hex 32`"),
            ("# nothing\n", "there is no token in it"),
            ("short", "token 1 is not 16 to 256 printable characters without blanks; make one"),
            (f"{A}\n{'x' * 300}", "token 2 is not"),
            (f"{A} {B}", "token 1 is not"),
            ("é" * 32, "it is not ASCII text"),
        ):
            self.write(text)
            with self.assertRaisesRegex(TokenFileError, f"token file .*: .*{problem}"):
                self.read()

    def test_missing_file_is_named_with_the_reason(self) -> None:
        with self.assertRaisesRegex(TokenFileError, "token file nowhere: cannot be read: No such file or directory"):
            TokenFile("nowhere")
