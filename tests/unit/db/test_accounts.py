"""The account store: an admin always remains, and a token may do no more than its user."""

from lars.db.accounts import AccountRefused, AccountStore
from tests.unit.db.memory import StoreCase

NOW = 1000.0


class AccountStoreTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = AccountStore(self.database)
        self.successResultOf(self.store.add_first_admin("ada", "hash", NOW))

    def add(self, name: str, role: str) -> None:
        self.successResultOf(self.store.add("ada", name, "hash", role, NOW))

    def test_there_is_one_first_admin(self) -> None:
        self.failureResultOf(self.store.add_first_admin("eve", "hash", NOW), AccountRefused)
        self.assertEqual([user.name for user in self.successResultOf(self.store.users())], ["ada"])

    def test_name_that_is_taken_is_refused(self) -> None:
        failure = self.failureResultOf(self.store.add("ada", "ada", "hash", "viewer", NOW), AccountRefused)
        self.assertEqual(failure.getErrorMessage(), "there is a user ada already: choose another name")

    def test_unknown_user_cannot_be_changed(self) -> None:
        for change in (
            self.store.set_password("ada", "bob", "hash", NOW),
            self.store.set_role("ada", "bob", "viewer", NOW),
            self.store.remove("ada", "bob", NOW),
        ):
            self.failureResultOf(change, AccountRefused)

    def test_last_admin_keeps_role_and_account(self) -> None:
        self.add("bob", "editor")
        self.failureResultOf(self.store.set_role("ada", "ada", "editor", NOW), AccountRefused)
        self.failureResultOf(self.store.remove("ada", "ada", NOW), AccountRefused)
        self.successResultOf(self.store.set_role("ada", "bob", "admin", NOW))
        self.successResultOf(self.store.remove("bob", "ada", NOW))

    def test_session_ends_at_its_time(self) -> None:
        self.successResultOf(self.store.begin_session("digest", "ada", NOW, 2000))
        user = self.successResultOf(self.store.session("digest", 1999.0))
        assert user is not None
        self.assertEqual(user.name, "ada")
        self.assertIsNone(self.successResultOf(self.store.session("digest", 2000.0)))

    def test_new_password_ends_sessions(self) -> None:
        self.successResultOf(self.store.begin_session("digest", "ada", NOW, 2000))
        self.successResultOf(self.store.set_password("ada", "ada", "other hash", NOW))
        self.assertIsNone(self.successResultOf(self.store.session("digest", NOW)))

    def test_token_has_the_lower_of_its_own_and_its_users_role(self) -> None:
        self.add("bob", "editor")
        for token_role, user_role, role in (
            ("admin", "editor", "editor"),
            ("viewer", "editor", "viewer"),
            ("admin", "viewer", "viewer"),
        ):
            self.successResultOf(self.store.set_role("ada", "bob", user_role, NOW))
            digest = f"{token_role} {user_role}"
            self.successResultOf(self.store.add_token("bob", digest, "ci", "bob", token_role, NOW))
            token = self.successResultOf(self.store.token(digest))
            assert token is not None
            self.assertEqual(token.role, role)

    def test_token_goes_with_its_user(self) -> None:
        self.add("bob", "editor")
        self.successResultOf(self.store.add_token("bob", "digest", "ci", "bob", "editor", NOW))
        self.successResultOf(self.store.remove("ada", "bob", NOW))
        self.assertIsNone(self.successResultOf(self.store.token("digest")))

    def test_token_of_another_user_is_not_removed(self) -> None:
        self.successResultOf(self.store.add_token("ada", "digest", "ci", "ada", "admin", NOW))
        [token] = self.successResultOf(self.store.tokens("ada"))
        self.failureResultOf(self.store.remove_token("bob", token.id, "bob", NOW), AccountRefused)
        self.successResultOf(self.store.remove_token("ada", token.id, None, NOW))
        self.assertEqual(self.successResultOf(self.store.tokens()), [])
