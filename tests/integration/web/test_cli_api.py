"""Commands that edit and read routes by the API: as they do at the database, but as the user of the token."""

from pathlib import Path

from lars.db.accounts import AccountStore, NewToken
from lars.db.database import Database, engine_for
from lars.db.url import parse_url
from lars.module_ranges import module_ranges
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, new_secret
from tests.integration.web.conftest import Site

A, B = "10.0.0.1:80", "10.0.0.2:80"


async def token_file(site: Site, folder: Path) -> Path:
    """The file of a token of an editor who is limited to the modids 1 to 99."""
    secret = TOKEN_PREFIX + new_secret()
    database = Database(engine_for(parse_url(site.commands.database_url)), site.reactor)
    accounts = AccountStore(database)
    try:
        await accounts.add("test", "lea", "no hash", "editor", 0, module_ranges("1-99"))
        await accounts.add_token("test", NewToken(digest_of(secret), "laptop", "lea", "editor"), 0)
    finally:
        database.close()
    path = folder / "token"
    path.write_text(secret + "\n", encoding="utf-8")
    return path


async def test_commands_do_by_the_api_what_they_do_at_the_database(site: Site, tmp_path: Path) -> None:
    await site.up()
    by_api = ("--api", site.base, "--token-file", str(await token_file(site, tmp_path)))

    def ok(*arguments: str) -> str:
        done = site.commands.run(*by_api, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def same(*arguments: str) -> None:
        assert ok(*arguments) == site.commands.run(*arguments).stdout

    assert ok("route", "add", "1", "1", A, B).startswith("added 2 hosts to (1, 1); version ")
    assert "weight 100 → 50" in ok("route", "set", "1", "1", A, "weight=50", "zone=b")
    assert ok("host", "drain", "10.0.0.2", "--reason", "disk").startswith("draining 1 host of (1, 1)")
    same("route", "list", "1", "1")
    same("route", "list", "--json")
    same("route", "export")
    same("route", "export", "--json")
    assert ok("route", "undrain", "1", "1", B).startswith("restored 1 host of (1, 1); version ")
    routes = tmp_path / "routes.csv"
    routes.write_text("modid,cmdid,ip,port\n1,2,10.0.0.3,80\n", encoding="utf-8")
    assert "+ (1, 2) 10.0.0.3:80" in ok("route", "import", "--dry-run", str(routes))
    assert ok("route", "import", str(routes)).startswith("changed 1 module: 1 host added, 0 removed; version ")
    assert ok("route", "rm", "1", "1", "--all").startswith("removed 2 hosts from (1, 1); version ")
    refused = site.commands.run(*by_api, "route", "add", "200", "1", A)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "lars: module (200, 1) is not within modules 1-99: ask an admin\n"
    unknown = site.commands.run(*by_api, "route", "set", "1", "1", A, "weight=1")
    assert (unknown.returncode, len(unknown.stderr.splitlines())) == (1, 1)
    other = site.commands.run(*by_api, "status")
    assert other.returncode == 2
    assert "does not use --api" in other.stderr
    (tmp_path / "wrong").write_text("lars_wrong", encoding="utf-8")
    wrong = site.commands.run("--api", site.base, "--token-file", str(tmp_path / "wrong"), "route", "list")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (1, 1)
    away = site.commands.run("--api", "http://127.0.0.1:1", "--token-file", str(tmp_path / "wrong"), "route", "list")
    assert away.returncode == 1
    assert "cannot be asked" in away.stderr
