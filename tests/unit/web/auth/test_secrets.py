"""Random secrets, and what is derived from them."""

from twisted.trial.unittest import SynchronousTestCase

from lars.web.auth.secrets import digest_of, form_key, new_secret, same


class SecretsTests(SynchronousTestCase):
    def test_form_key_is_bound_to_its_cookie(self) -> None:
        one, other = new_secret(), new_secret()
        self.assertTrue(same(form_key(one), form_key(one)))
        self.assertFalse(same(form_key(one), form_key(other)))
        self.assertNotEqual(digest_of(one), form_key(one))

    def test_secrets_fit_into_urls_and_cookies(self) -> None:
        self.assertRegex(new_secret(), r"^[A-Za-z0-9_-]{43}$")

    def test_digest_is_sha_256_and_takes_any_text(self) -> None:
        self.assertEqual(digest_of("")[:8], "e3b0c442")
        self.assertEqual(len(digest_of("\udcff ü")), 64)
