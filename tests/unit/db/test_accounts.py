"""The account store: an admin always remains, and a token may do no more than its user."""

from lars.db.accounts import AccountRefused, AccountStore, NewToken, Session
from lars.module_ranges import EVERYTHING, NOTHING, module_ranges
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
        self.successResultOf(self.store.begin_session(Session("digest", "ada", int(NOW), 2000), NOW))
        user = self.successResultOf(self.store.session("digest", 1999.0))
        assert user is not None
        self.assertEqual(user.name, "ada")
        self.assertIsNone(self.successResultOf(self.store.session("digest", 2000.0)))

    def test_new_password_ends_sessions(self) -> None:
        self.successResultOf(self.store.begin_session(Session("digest", "ada", int(NOW), 2000), NOW))
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
            self.successResultOf(self.store.add_token("bob", NewToken(digest, "ci", "bob", token_role), NOW))
            token = self.successResultOf(self.store.token(digest))
            assert token is not None
            self.assertEqual(token.role, role)

    def test_token_carries_its_own_and_its_users_modules_its_end_and_its_last_use(self) -> None:
        self.successResultOf(self.store.add("ada", "bob", "hash", "editor", NOW, module_ranges("1-99")))
        new = NewToken("digest", "node", "bob", "register", module_ranges("7.1"), 5000)
        self.successResultOf(self.store.add_token("bob", new, NOW))
        token = self.successResultOf(self.store.token("digest"))
        assert token is not None
        self.assertEqual((str(token.ranges), str(token.user_ranges), token.expires_at), ("7.1", "1-99", 5000))
        self.assertEqual([token.has_expired(now) for now in (4999.9, 5000.0)], [False, True])
        for now in (2000.0, 1500.0):
            self.successResultOf(self.store.record_uses([token.id], [], now))
        self.assertEqual([t.used_at for t in self.successResultOf(self.store.tokens("bob"))], [2000])

    def test_register_token_of_a_user_who_may_edit_no_more_does_nothing(self) -> None:
        self.add("bob", "editor")
        self.successResultOf(self.store.add_token("bob", NewToken("digest", "node", "bob", "register"), NOW))
        self.successResultOf(self.store.set_role("ada", "bob", "viewer", NOW))
        self.assertIsNone(self.successResultOf(self.store.token("digest")))

    def test_modules_of_a_user_change_with_the_role_and_an_admin_has_none(self) -> None:
        self.add("bob", "editor")
        self.successResultOf(self.store.set_role("ada", "bob", "editor", NOW, module_ranges("1")))
        self.failureResultOf(self.store.set_role("ada", "bob", "admin", NOW), AccountRefused)
        self.failureResultOf(self.store.set_role("ada", "ada", "admin", NOW, module_ranges("1")), AccountRefused)
        self.successResultOf(self.store.set_role("ada", "bob", "admin", NOW, EVERYTHING))
        user = self.successResultOf(self.store.user("bob"))
        assert user is not None
        self.assertEqual((user.role, user.ranges), ("admin", EVERYTHING))

    def test_what_is_no_list_of_modules_is_none(self) -> None:
        self.add("bob", "editor")
        self.txn.execute("UPDATE User SET ranges = 'everything' WHERE name = 'bob'")
        user = self.successResultOf(self.store.user("bob"))
        assert user is not None
        self.assertEqual(user.ranges, NOTHING)

    def test_user_is_signed_out_of_one_session_or_of_all_but_nobody_else(self) -> None:
        self.add("bob", "editor")
        for digest, user in (("a1", "ada"), ("b1", "bob"), ("b2", "bob"), ("b3", "bob")):
            session = Session(digest, user, int(NOW), 2000, int(NOW), "10.0.0.9", "Firefox")
            self.successResultOf(self.store.begin_session(session, NOW))
        self.assertEqual(self.successResultOf(self.store.sign_out("bob", "bob", NOW, "a1")), 0)
        self.assertEqual(self.successResultOf(self.store.sign_out("bob", "bob", NOW, "b1")), 1)
        self.successResultOf(self.store.record_uses([], ["b2"], 1500.0))
        shown = self.successResultOf(self.store.sessions("bob", NOW))
        self.assertEqual(
            [(s.digest, s.seen_at, s.browser) for s in shown], [("b2", 1500, "Firefox"), ("b3", 1000, "Firefox")]
        )
        self.assertEqual(self.successResultOf(self.store.sign_out("ada", "bob", NOW)), 2)
        self.assertEqual(len(self.successResultOf(self.store.sessions("ada", NOW))), 1)

    def test_token_goes_with_its_user(self) -> None:
        self.add("bob", "editor")
        self.successResultOf(self.store.add_token("bob", NewToken("digest", "ci", "bob", "editor"), NOW))
        self.successResultOf(self.store.remove("ada", "bob", NOW))
        self.assertIsNone(self.successResultOf(self.store.token("digest")))

    def test_token_of_another_user_is_not_removed(self) -> None:
        self.successResultOf(self.store.add_token("ada", NewToken("digest", "ci", "ada", "admin"), NOW))
        [token] = self.successResultOf(self.store.tokens("ada"))
        self.failureResultOf(self.store.remove_token("bob", token.id, "bob", NOW), AccountRefused)
        self.successResultOf(self.store.remove_token("ada", token.id, None, NOW))
        self.assertEqual(self.successResultOf(self.store.tokens()), [])
