"""The root resource: which set of pages answers an address, by the first part of its path."""

from collections.abc import Mapping

from klein import Klein
from klein.resource import KleinResource
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from lars.web.static_files import StaticFiles


class Root(Resource):
    """Sets of pages by the first part of the path, and one for all other paths. Each of them sees the whole path."""

    def __init__(self, files: StaticFiles, branches: Mapping[str, Klein], rest: Klein) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's has no types
        self._files = files
        self._branches = {name.encode(): KleinResource(app) for name, app in branches.items()}
        self._rest = KleinResource(rest)

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        if path == b"static":
            return self._files
        request.postpath = [*(request.prepath or []), *(request.postpath or [])]
        request.prepath = []
        return self._branches.get(path, self._rest)
