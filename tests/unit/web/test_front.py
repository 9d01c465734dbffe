"""Where a request comes from, by its connection and the proxies before lars-web."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.web.front import Front, Header, Origin, without_prefix
from lars.web.settings import networks

PROXY, INNER, CLIENT = "10.0.0.1", "10.0.0.2", "203.0.113.7"


def header(**fields: str) -> Header:
    """The fields of a head, X_Forwarded_For for X-Forwarded-For."""
    given = {name.replace("_", "-").lower(): value for name, value in fields.items()}
    return lambda name: [given[name.lower()]] if name.lower() in given else []


class FrontTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.front = Front("", networks("10.0.0.0/8, fd00::/8"))

    def address(self, peer: str = PROXY, **fields: str) -> str:
        return self.front.origin(peer, False, header(**fields)).address

    def test_user_is_whom_a_trusted_proxy_names(self) -> None:
        front = Front("", networks("10.0.0.0/8"), "X-Forwarded-User")
        named, nobody = header(X_Forwarded_User=" Lea "), header()
        self.assertEqual([front.user(peer, named) for peer in (PROXY, CLIENT, "")], ["Lea", "", "Lea"])
        self.assertEqual([front.forges_user(peer, named) for peer in (PROXY, CLIENT, "")], [False, True, False])
        self.assertEqual((front.user(PROXY, nobody), front.forges_user(CLIENT, nobody)), ("", False))

    def test_header_that_names_two_users_or_that_nobody_asked_for_names_none(self) -> None:
        def twice(_name: str) -> list[str]:
            return ["lea", "admin"]

        front = Front("", networks("10.0.0.0/8"), "X-Forwarded-User")
        self.assertEqual((front.user(PROXY, twice), front.forges_user(PROXY, twice)), ("", True))
        for off in (Front("", networks("10.0.0.0/8")), Front("", (), "X-Forwarded-User")):
            self.assertEqual(off.user(PROXY, header(X_Forwarded_User="lea")), "")
        self.assertFalse(self.front.forges_user(CLIENT, header(X_Forwarded_User="lea")))

    def test_client_of_a_trusted_proxy_is_who_it_says(self) -> None:
        for node in (CLIENT, f"{CLIENT}:4711"):
            self.assertEqual(self.address(X_Forwarded_For=node), CLIENT)
        for element in (f"for={CLIENT}", f'For="{CLIENT}:80";proto=http', f"proto=https; for={CLIENT}:80"):
            self.assertEqual(self.address(Forwarded=element), CLIENT)
        self.assertEqual(self.address(Forwarded='for="[2001:db8::1]:4711"'), "2001:db8::1")
        self.assertEqual(self.address(X_Forwarded_For="2001:db8::1"), "2001:db8::1")
        self.assertEqual(self.address("::ffff:10.0.0.1", X_Forwarded_For=CLIENT), CLIENT)
        self.assertEqual(self.address("", X_Forwarded_For=CLIENT), CLIENT, "a proxy at a UNIX socket")

    def test_stranger_is_not_believed(self) -> None:
        fields = {"X_Forwarded_For": "1.2.3.4", "X_Forwarded_Proto": "https", "X_Forwarded_Prefix": "/evil"}
        self.assertEqual(self.front.origin(CLIENT, False, header(**fields)), Origin(CLIENT, False, ""))
        self.assertEqual(Front("", ()).origin(PROXY, False, header(**fields)), Origin(PROXY, False, ""))

    def test_only_what_trusted_proxies_have_added_counts(self) -> None:
        self.assertEqual(self.address(X_Forwarded_For=f"1.2.3.4, {CLIENT}, {INNER}"), CLIENT)
        self.assertEqual(self.address(Forwarded=f"for=1.2.3.4, for={CLIENT}, for={INNER}"), CLIENT)
        self.assertEqual(self.address(X_Forwarded_For=f"unknown, {INNER}"), INNER)

    def test_fields_that_contradict_each_other_or_are_malformed_are_not_believed(self) -> None:
        self.assertEqual(self.address(X_Forwarded_For=CLIENT, Forwarded="for=1.2.3.4"), PROXY)
        self.assertEqual(self.address(X_Forwarded_For=CLIENT, Forwarded=f"for={CLIENT}"), CLIENT)
        for forwarded in ('for="1.2.3.4', "for", f"for=1.2.3.4;, for={CLIENT} x"):
            self.assertEqual(self.address(X_Forwarded_For=CLIENT, Forwarded=forwarded), PROXY)

    def test_scheme_is_that_of_the_browsers_connection(self) -> None:
        def https(**fields: str) -> bool:
            return self.front.origin(PROXY, False, header(**fields)).https

        self.assertTrue(https(X_Forwarded_For=CLIENT, X_Forwarded_Proto="https"))
        self.assertTrue(https(X_Forwarded_For=f"{CLIENT}, {INNER}", X_Forwarded_Proto="https, http"))
        self.assertTrue(https(Forwarded=f"for={CLIENT};proto=HTTPS, for={INNER};proto=http"))
        self.assertFalse(https(X_Forwarded_For=CLIENT))
        self.assertFalse(https(X_Forwarded_For=f"{CLIENT}", X_Forwarded_Proto="https, http"))
        self.assertTrue(Front("https://lars.example", ()).origin(CLIENT, False, header()).https)

    def test_prefix_is_that_of_the_address_or_the_proxys(self) -> None:
        front = Front("https://example/lars", networks("10.0.0.1"))
        self.assertEqual(front.origin(CLIENT, False, header(X_Forwarded_Prefix="/other")).prefix, "/lars")
        self.assertEqual(front.origin(PROXY, False, header(X_Forwarded_Prefix="/a/b/")).prefix, "/a/b")
        for prefix in ("", "a", "//evil.example", "/a b", '/"', "/a/../b c"):
            self.assertEqual(front.origin(PROXY, False, header(X_Forwarded_Prefix=prefix)).prefix, "/lars")

    def test_prefix_is_taken_off_requests_that_have_it(self) -> None:
        for target, left in {
            b"/lars": b"/",
            b"/lars/": b"/",
            b"/lars/modules?q=/lars": b"/modules?q=/lars",
            b"/lars?q=1": b"/?q=1",
            b"/larsen": b"/larsen",
            b"/modules": b"/modules",
        }.items():
            self.assertEqual(without_prefix(target, "/lars"), left)
            self.assertEqual(without_prefix(target, ""), target)

    @given(st.text(st.sampled_from('for=prot;,"\\[]:.0123456789abf '), max_size=60), st.text(max_size=20))
    def test_whatever_is_sent_is_read(self, forwarded: str, others: str) -> None:
        fields = header(Forwarded=forwarded, X_Forwarded_For=others, X_Forwarded_Proto=others)
        self.assertTrue(self.front.origin(PROXY, False, fields).address)


class NetworksTests(SynchronousTestCase):
    def test_networks_and_addresses_are_read_and_others_refused(self) -> None:
        self.assertEqual(
            [str(n) for n in networks("10.0.0.0/8, 127.0.0.1,fd00::/8")], ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"]
        )
        self.assertEqual(networks(""), ())
        for text in ("10.0.0.1/8", "proxy", "10.0.0.0/8,"):
            self.assertIn("10.0.0.0/8", str(self.assertRaises(SettingsError, networks, text)))
