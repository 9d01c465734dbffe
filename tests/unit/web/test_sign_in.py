"""Who may try to sign in, who may do what, and where one may be sent."""

from twisted.trial.unittest import SynchronousTestCase

from lars.accounts import BadAccount, hash_password, is_password, new_password, user_name
from lars.web.auth.access import local_path
from lars.web.auth.login_throttle import FREE, LONGEST_WAIT, LoginThrottle
from lars.web.auth.secrets import digest_of, form_key, new_secret, same
from lars.web.roles import Role, role_of


class LoginThrottleTests(SynchronousTestCase):
    def test_five_are_free_then_each_doubles_the_wait(self) -> None:
        attempts = LoginThrottle()
        for _ in range(FREE):
            self.assertEqual(attempts.wait("a", 0), 0)
            attempts.failed("a", 0)
        self.assertEqual(attempts.wait("a", 0), 2)
        self.assertEqual(attempts.wait("a", 2), 0)
        attempts.failed("a", 2)
        self.assertEqual(attempts.wait("a", 2), 4)
        self.assertEqual(attempts.wait("b", 2), 0)
        attempts.succeeded("a")
        self.assertEqual(attempts.wait("a", 2), 0)

    def test_success_forgives_one_failure_of_an_address_and_no_more(self) -> None:
        attempts = LoginThrottle()
        for _ in range(FREE + 1):
            attempts.failed("a", 0)
        attempts.forgive("a")
        self.assertEqual(attempts.wait("a", 0), 2)
        for _ in range(FREE):
            attempts.forgive("a")
        self.assertEqual((attempts.wait("a", 0), attempts._failed), (0, {}))

    def test_wait_has_an_end(self) -> None:
        attempts = LoginThrottle()
        for _ in range(100):
            attempts.failed("a", 0)
        self.assertEqual(attempts.wait("a", 0), LONGEST_WAIT)


class SecretsTests(SynchronousTestCase):
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

    def test_form_key_is_bound_to_its_cookie(self) -> None:
        one, other = new_secret(), new_secret()
        self.assertTrue(same(form_key(one), form_key(one)))
        self.assertFalse(same(form_key(one), form_key(other)))
        self.assertNotEqual(digest_of(one), form_key(one))


class RolesTests(SynchronousTestCase):
    def test_each_may_what_those_before_it_may(self) -> None:
        self.assertTrue(Role.ADMIN.may_be(Role.EDITOR))
        self.assertFalse(Role.VIEWER.may_be(Role.EDITOR))
        self.assertIs(role_of("emperor"), Role.VIEWER)


class PathTests(SynchronousTestCase):
    def test_only_paths_of_this_site_are_gone_on_to(self) -> None:
        for good in ("/", "/modules/1/1?span=6h", "/audit?modid=1&cmdid=2"):
            self.assertEqual(local_path(good), good)
        for evil in ("//evil.example", "/\\evil.example", "https://evil.example", "", "modules", "/a\r\nSet-Cookie: x"):
            self.assertEqual(local_path(evil), "/")
