"""Weight, zone, drains and settings by the API: conditional edits, roles, and refusals that name the field."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.waiting import until
from tests.integration.web.conftest import Site, token_of
from tests.integration.web.test_api import Api

A, B = "10.0.0.1:80", "10.0.0.2:80"
HOST = f"/modules/1/1/hosts/{A}"


async def apis(site: Site) -> tuple[Api, Api]:
    """An editor and a viewer, on a site whose modules (1, 1) and (2, 1) have hosts."""
    await site.up()
    api, viewer = Api(site, await token_of(site, "editor")), Api(site, await token_of(site, "viewer"))
    assert (await api("PUT", "/modules/1/1/hosts", {"hosts": [A, B]}))[0] == 200
    assert (await api("PUT", "/modules/2/1/hosts", {"hosts": ["10.0.0.1:90", "10.0.0.2:90"]}))[0] == 200
    return api, viewer


async def test_a_record_changes_by_its_fields_if_the_etag_holds(site: Site) -> None:
    api, viewer = await apis(site)
    _, _, headers = await api("GET", "/modules/1/1")
    etag = headers["ETag"]
    status, body, headers = await api("PATCH", HOST, {"weight": 50, "zone": "b"}, If_Match=etag)
    assert (status, body["changed"][0]["altered"]) == (200, [A])
    assert headers["ETag"] == (await api("GET", "/modules/1/1"))[2]["ETag"]
    assert (await api("PATCH", HOST, {"weight": 60}, If_Match=etag))[0] == 412
    assert (await api("PATCH", HOST, {"tags": ["ssd"], "note": "new disk"}, If_Match=headers["ETag"]))[0] == 200
    _, host, _ = await viewer("GET", HOST)
    found = host["weight"], host["zone"], host["tags"], host["note"], host["drain"]
    assert found == (50, "b", ["ssd"], "new disk", None)
    status, body, _ = await api("PATCH", HOST, {"weight": 50})
    assert (status, body["changed"]) == (200, [])
    for path in (HOST, f"{HOST}/drain", "/modules/1/1/settings", "/machines/10.0.0.1/drain"):
        assert (await viewer("PATCH" if path == HOST else "PUT", path, {}))[0] == 403, path
    for wrong, line in (
        ({"weight": -1}, "weight '-1' is not a number from 0 to 1000"),
        ({"weight": 1001}, "weight '1001' is not a number from 0 to 1000"),
        ({"weight": "x"}, "weight: write a number from 0 to 1000, not a text"),
        ({"zone": "a b"}, "zone 'a b' is not a zone: use up to 64 of a-z, 0-9, dot and hyphen"),
        ({"name": "x"}, "the body has a key 'name' that is unknown: use weight, zone, tags, note"),
    ):
        status, body, _ = await api("PATCH", HOST, wrong)
        assert (status, body["detail"]) == (400, line)
    status, body, _ = await api("PATCH", HOST, {"weight": 2000, "zone": "a b"})
    assert (status, len(body["lines"])) == (400, 2)
    status, body, _ = await api("PATCH", "/modules/1/1/hosts/10.0.0.3:80", {"weight": 1})
    assert (status, body["detail"]) == (404, "module (1, 1) has no host 10.0.0.3:80: add it first")
    _, body, _ = await api("GET", "/audit?modid=1&cmdid=1&limit=2")
    edit = body["edits"][0]
    assert (edit["actor"], edit["after"]) == (
        "api:program-editor/test",
        f'{A} weight=50 zone="b" note="new disk" tags=ssd',
    )


async def test_hosts_and_machines_are_drained_until_somebody_or_their_time_ends_it(reactor: Any, site: Site) -> None:
    api, _viewer = await apis(site)

    async def drain(path: str = HOST) -> Any:
        return (await api("GET", path))[1]["drain"]

    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    status, body, headers = await api("PUT", f"{HOST}/drain", {"until": at.isoformat(), "reason": "kernel update"})
    assert (status, body["changed"][0]["altered"]) == (200, [A])
    assert await drain() == {"until": f"{at:%Y-%m-%dT%H:%M:%SZ}", "reason": "kernel update", "weight": 100}
    assert (await api("DELETE", f"{HOST}/drain", If_Match='"another"'))[0] == 412
    assert (await api("DELETE", f"{HOST}/drain", If_Match=headers["ETag"]))[0] == 200
    assert await drain() is None
    for wrong, line in (
        ({"until": "2h"}, "until: write a time such as 2026-11-25T14:00:00Z"),
        ({"until": "2001-01-01T00:00:00Z"}, "until: 2001-01-01T00:00:00Z is not within 366 days from now, "),
        ({"seconds": 0}, "seconds: write a number from 1 to 31622400"),
    ):
        status, body, _ = await api("PUT", f"{HOST}/drain", wrong)
        assert (status, body["detail"].startswith(line)) == (400, True), body

    status, body, _ = await api("PUT", "/machines/10.0.0.1/drain", {"seconds": 3})
    assert [(change["modid"], change["altered"]) for change in body["changed"]] == [(1, [A]), (2, ["10.0.0.1:90"])]
    assert await drain("/modules/2/1/hosts/10.0.0.1:90") is not None

    async def is_over() -> bool:
        return await drain() is None and await drain("/modules/2/1/hosts/10.0.0.1:90") is None

    await until(reactor, is_over, "the drain to end", 12)
    assert (await api("PUT", "/machines/10.0.0.1/drain", {}))[0] == 200
    status, body, _ = await api("DELETE", "/machines/10.0.0.1/drain")
    assert (status, len(body["changed"])) == (200, 2)
    for ip in ("10.0.0.9", "db1"):
        assert (await api("DELETE", f"/machines/{ip}/drain"))[0] == 404


async def test_settings_are_replaced_and_what_makes_no_sense_is_refused(site: Site) -> None:
    api, viewer = await apis(site)
    status, body, headers = await viewer("GET", "/modules/1/1/settings")
    assert (status, body) == (200, {})
    etag = headers["ETag"]
    wanted = {"policy": "round_robin", "health_check.type": "http", "health_check.path": "/healthz"}
    status, body, headers = await api("PUT", "/modules/1/1/settings", wanted, If_Match=etag)
    assert (status, body["changed"][0]["settings"]) == (200, True)
    assert (await viewer("GET", "/modules/1/1/settings"))[1] == wanted
    assert (await viewer("GET", "/modules/1/1"))[1]["settings"] == wanted
    assert (await viewer("GET", "/modules/1/1/settings", If_None_Match=headers["ETag"]))[0] == 304
    assert (await api("PUT", "/modules/1/1/settings", {}, If_Match=etag))[0] == 412
    for wrong, line in (
        ({"panik": False}, "'panik' is not a setting of a module; did you mean panic?"),
        ({"health_check.type": "http"}, "health_check.path: an http check needs a path, such as /healthz"),
        ({"slow_start": "x"}, "slow_start: 'x' is not a number from 0 to 600"),
        ({"policy": "clasic"}, "policy: 'clasic' is not one of adaptive, round_robin, consistent_hash, classic"),
    ):
        status, body, _ = await api("PUT", "/modules/1/1/settings", wrong)
        assert (status, body["detail"].startswith(line), len(body["lines"])) == (400, True, 1), body
    assert (await viewer("GET", "/modules/1/1/settings"))[1] == wanted
    assert (await api("PUT", "/modules/1/1/settings", {}))[0] == 200
    assert (await viewer("GET", "/modules/1/1/settings"))[1] == {}
