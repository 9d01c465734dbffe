"""A machine: the hosts at one address in all modules, and the forms that drain them together."""

from lars.db.modules import EditConflict
from lars.errors import InvalidRoute
from lars.host_record import HostChange
from lars.route import parse_ip
from lars.web.language import Errors, Translatable
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.forms import FormError, parse_drain
from lars.web.pages.page_set import NotFound, PageSet, new_app, page
from lars.web.roles import Role

CONFLICT = Translatable(
    "Somebody else has edited hosts of this machine since. Their current state is shown here, and what you typed is "
    "kept: compare both, then save again."
)


class MachinePages(PageSet):
    """/machines/…"""

    app = new_app()

    @page(app, "/machines/<address>")
    async def show(self, request: PageRequest, address: str) -> Answer:
        """The hosts of a machine."""
        return await self._page(request, known_ip(address), {}, 200)

    async def _page(self, request: PageRequest, ip: int, errors: Errors, status: int) -> Page:
        machine = await self.console.stores.machines.machine(ip)
        values = {"machine": machine, "errors": errors, "typed": request.fields if errors else {}}
        return Page("machine.html", values, status)

    @page(app, "/machines/<address>/drain", role=Role.EDITOR, form=True)
    async def drain(self, request: PageRequest, address: str) -> Answer:
        """Drains all hosts of the machine."""
        try:
            drain = parse_drain(request.field("time"), request.field("reason"), request.now)
        except FormError as bad:
            return await self._page(request, known_ip(address), bad.errors, 422)
        return await self._change(request, known_ip(address), HostChange(drain=drain), "drained")

    @page(app, "/machines/<address>/undrain", role=Role.EDITOR, form=True)
    async def undrain(self, request: PageRequest, address: str) -> Answer:
        """Ends the drains of all hosts of the machine."""
        return await self._change(request, known_ip(address), HostChange(undrain=True), "undrained")

    async def _change(self, request: PageRequest, ip: int, change: HostChange, done: str) -> Answer:
        edits, seen = self.console.edits, request.field("seen")
        try:
            edited = await edits.edit_seen_machine(request.editor, request.now, ip, change, seen)
        except EditConflict:
            return await self._page(request, ip, {"": CONFLICT}, 409)
        n = sum(len(changed.altered) for changed in edited.changed)
        return Redirect(f"{request.path.rpartition('/')[0]}?notice={done if n else 'same'}&n={n}")


def known_ip(address: str) -> int:
    """The machine of a path. Raises NotFound unless it is an IPv4 address."""
    try:
        return parse_ip(address)
    except InvalidRoute as error:
        raise NotFound(str(error)) from None
