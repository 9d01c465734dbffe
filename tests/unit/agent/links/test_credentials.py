"""What an agent shows to its servers."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.links.credentials import NO_CREDENTIALS, Credentials
from lars.runtime.token_file import TokenFile


class CredentialsTests(SynchronousTestCase):
    def test_the_first_token_of_the_file_is_presented_and_without_a_file_none(self) -> None:
        path = Path(self.mktemp())
        path.write_text(f"{'a' * 32}\n{'b' * 32}\n", encoding="ascii")
        self.assertEqual(Credentials(TokenFile(str(path))).token, "a" * 32)
        self.assertEqual(NO_CREDENTIALS.token, "")
