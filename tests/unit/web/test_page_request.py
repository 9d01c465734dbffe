"""What a page request says of its user and its fields."""

from twisted.trial.unittest import SynchronousTestCase

from lars.web.language import Translatable
from lars.web.page_request import trouble
from lars.web.roles import Role
from tests.unit.web.requests import page_request


class UserTests(SynchronousTestCase):
    def test_user_may_what_their_role_may(self) -> None:
        request = page_request("editor")
        self.assertEqual((request.role, request.actor), (Role.EDITOR, "web:lea"))
        self.assertEqual([request.may(role) for role in ("viewer", "editor", "admin")], [True, True, False])

    def test_anonymous_may_nothing(self) -> None:
        request = page_request(None)
        self.assertEqual((request.role, request.actor, request.may("viewer")), (None, "web", False))


class FieldTests(SynchronousTestCase):
    def test_missing_field_is_empty(self) -> None:
        self.assertEqual(page_request(q="1 1").field("q"), "1 1")
        self.assertEqual(page_request().field("q"), "")

    def test_number_is_brought_into_its_range(self) -> None:
        for text, number in {"": 7, "5": 5, "0": 1, "99": 10, "-1": 7, "x": 7, "٣": 7, "9" * 30: 7}.items():
            self.assertEqual(page_request(page=text).number("page", 7, 1, 10), number, text)


class TroubleTests(SynchronousTestCase):
    def test_page_has_the_status_that_it_shows(self) -> None:
        page = trouble(404, Translatable("There is no page at this address."))
        self.assertEqual((page.status, page.values["status"]), (404, 404))
