"""Names and passwords of users."""

from twisted.trial.unittest import SynchronousTestCase

from lars.accounts import BadAccount, hash_password, is_password, new_password, user_name


class AccountsTests(SynchronousTestCase):
    def test_password_is_that_of_its_hash_alone(self) -> None:
        stored = hash_password("correct horse")
        self.assertTrue(stored.startswith("$argon2id$"))
        self.assertTrue(is_password(stored, "correct horse"))
        self.assertFalse(is_password(stored, "wrong horse"))
        self.assertFalse(is_password(None, "nobody has this password"))
        self.assertFalse(is_password("no hash", "correct horse"))

    def test_names_and_passwords_are_checked(self) -> None:
        self.assertEqual(user_name("Lea.B@x"), "lea.b@x")
        for bad in ("", "a b", "-a", "x" * 65, "ä"):
            self.assertRaises(BadAccount, user_name, bad)
        self.assertRaises(BadAccount, new_password, "short")
