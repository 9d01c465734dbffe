"""Edits of one module by the API: conditional, answered with what changed and the new ETag."""

from lars.db.modules import EditConflict
from lars.db.routes import RouteEdit
from lars.web.api.endpoint import Call, Reply
from lars.web.api.input import etags
from lars.web.api.problems import changed
from lars.web.api.rows import as_edited
from lars.web.console import Console


async def edit_module(console: Console, call: Call, edit: RouteEdit) -> Reply:
    """Makes an edit if the call's If-Match allows it; raises Problem 412 if not (docs/design/web.md, edits)."""
    wanted = etags(call.headers("If-Match"))
    try:
        done, etag = await console.edits.edit_tagged(call.editor, call.now, edit, wanted)
    except EditConflict:
        raise changed((await console.stores.modules.module(edit.module)).etag) from None
    return Reply(as_edited(done), headers={"ETag": f'"{etag}"'})
