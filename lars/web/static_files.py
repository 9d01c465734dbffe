"""Static files, read once; browsers cache them until their content, and with it their address, changes."""

import hashlib
from pathlib import Path

from twisted.web.resource import Resource
from twisted.web.server import Request

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}


class StaticFiles(Resource):
    """Files by name, under /static/."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's has no types
        self._files = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}

    def address(self, name: str) -> str:
        """The address of a file, which changes with its content. Raises KeyError if there is none."""
        return f"/static/{name}?{hashlib.sha256(self._files[name]).hexdigest()[:10]}"

    def render(self, request: Request) -> bytes:
        name = b"/".join(request.postpath or []).decode("latin-1")
        body = self._files.get(name)
        if body is None or request.method not in (b"GET", b"HEAD"):
            request.setResponseCode(404 if body is None else 405)
            request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
            if body is not None:
                request.setHeader(b"Allow", b"GET, HEAD")
            return b"there is no such file\n" if body is None else b"only GET and HEAD are answered\n"
        request.setHeader(b"Content-Type", TYPES[Path(name).suffix])
        request.setHeader(b"Cache-Control", b"public, max-age=31536000, immutable")
        request.setHeader(b"Content-Length", b"%d" % len(body))
        return b"" if request.method == b"HEAD" else body
