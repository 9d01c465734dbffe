"""The root resource: which set of pages answers an address."""

from typing import Any, cast

from klein import Klein
from klein.resource import KleinResource
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from lars.web.root import Root
from lars.web.static_files import StaticFiles


class RootTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.files, self.modules, self.rest = StaticFiles(), Klein(), Klein()
        self.root = Root(self.files, {"modules": self.modules}, self.rest)

    def child(self, name: bytes) -> tuple[Any, DummyRequest]:
        request = DummyRequest([b"1", b"2"])
        request.prepath = [name]
        return self.root.getChildWithDefault(name, cast(Any, request)), request

    def test_first_part_of_the_path_names_the_pages_that_see_all_of_it(self) -> None:
        found, request = self.child(b"modules")
        self.assertIsInstance(found, KleinResource)
        self.assertIs(found._app, self.modules)
        self.assertEqual((request.prepath, request.postpath), ([], [b"modules", b"1", b"2"]))

    def test_other_paths_belong_to_the_rest(self) -> None:
        self.assertIs(self.child(b"")[0]._app, self.rest)

    def test_static_files_see_their_name_alone(self) -> None:
        found, request = self.child(b"static")
        self.assertIs(found, self.files)
        self.assertEqual(request.postpath, [b"1", b"2"])
