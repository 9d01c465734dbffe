"""Accounts: valid user names and passwords, and hashes that only their password matches."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.accounts import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    ROLES,
    BadAccount,
    hash_password,
    is_password,
    new_password,
    role_of_token,
    user_name,
)


class UserNameTests(SynchronousTestCase):
    def test_names_are_stripped_and_in_lower_case(self) -> None:
        for text, name in ((" Lea.B@x ", "lea.b@x"), ("0", "0"), ("a" * 64, "a" * 64), ("a_-", "a_-")):
            self.assertEqual(user_name(text), name)

    def test_other_names_are_refused(self) -> None:
        for text in ("", " ", "a b", "-a", ".a", "a" * 65, "ä", "a\nb"):
            self.assertRaises(BadAccount, user_name, text)

    @given(st.text(max_size=70))
    def test_valid_name_is_its_own_name(self, text: str) -> None:
        try:
            name = user_name(text)
        except BadAccount:
            return
        self.assertEqual(user_name(name), name)


class PasswordTests(SynchronousTestCase):
    def test_length_has_limits(self) -> None:
        for length in (MIN_PASSWORD, MAX_PASSWORD):
            self.assertEqual(new_password("x" * length), "x" * length)
        for length in (0, MIN_PASSWORD - 1, MAX_PASSWORD + 1):
            self.assertRaises(BadAccount, new_password, "x" * length)

    def test_commonest_and_those_made_of_the_names_of_user_and_product_are_refused(self) -> None:
        for guessed in ("password123", "PassWord123", "1234567890", "qwertyuiop", "lealealealea", "lars-lars-lea"):
            self.assertRaises(BadAccount, new_password, guessed, "lea")
        for good in ("lea eats nine figs", "zzzzzzzzzz!", "äöü 你好 🌊 words"):
            self.assertEqual(new_password(good, "lea"), good)

    def test_hash_matches_its_password_alone(self) -> None:
        stored = hash_password("correct horse")
        self.assertTrue(stored.startswith("$argon2id$"))
        self.assertTrue(is_password(stored, "correct horse"))
        self.assertFalse(is_password(stored, "correct horse "))

    def test_two_hashes_of_one_password_differ(self) -> None:
        self.assertNotEqual(hash_password("correct horse"), hash_password("correct horse"))

    def test_nothing_matches_without_a_hash(self) -> None:
        for stored in (None, "", "no hash", "$argon2id$v=19$broken"):
            self.assertFalse(is_password(stored, "correct horse"), stored)

    def test_password_longer_than_allowed_does_not_match_its_beginning(self) -> None:
        self.assertFalse(is_password(hash_password("x" * MAX_PASSWORD), "x" * (MAX_PASSWORD + 5)))


class RolesTests(SynchronousTestCase):
    def test_roles_are_in_the_order_of_their_rights(self) -> None:
        self.assertEqual(ROLES, ("viewer", "editor", "admin"))

    def test_token_does_no_more_than_its_user(self) -> None:
        table: dict[str, dict[str, str | None]] = {
            "register": {"viewer": None, "editor": "register", "admin": "register"},
            "viewer": {"viewer": "viewer", "editor": "viewer", "admin": "viewer"},
            "editor": {"viewer": "viewer", "editor": "editor", "admin": "editor"},
            "admin": {"viewer": "viewer", "editor": "editor", "admin": "admin"},
            "emperor": {"viewer": None, "editor": None, "admin": None, "emperor": None},
        }
        for token, row in table.items():
            for user, role in row.items():
                self.assertEqual(role_of_token(token, user), role, (token, user))
