"""The account store: the users of lars-web, their sessions, and API tokens.

See docs/design/database.md, accounts.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from lars.accounts import ROLES
from lars.db.audit import Edit, record_txn
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.write_cursor import one_at_a_time_txn
from lars.errors import LarsError


class AccountRefused(LarsError):
    """A user or token cannot be created, changed or removed; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class User:
    """A user. `password` is an argon2 hash, `created_at` is in Unix seconds."""

    name: str
    password: str
    role: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Token:
    """An API token, without its secret. `created_at` is in Unix seconds."""

    id: int
    name: str
    user: str
    role: str
    created_at: int


_USER = "SELECT name, password, role, created_at FROM User"
_TOKEN = "SELECT id, name, user_name, role, created_at FROM ApiToken"


class AccountStore:
    """Users, sessions and tokens in the database.

    Session and token secrets are passed as SHA-256 digests in hex; `now` is in Unix seconds. `actor` is the user who
    makes a change, for the audit.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def any_user(self) -> bool:
        """Whether there is any user."""
        return await self._database.read("find users", _any_user_txn)

    async def user(self, name: str) -> User | None:
        """A user by name."""
        return await self._database.read("read a user", _user_txn, name)

    async def users(self) -> list[User]:
        """All users, ordered by name."""
        return await self._database.read("list users", _users_txn)

    async def add_first_admin(self, name: str, password: str, now: float) -> None:
        """Adds the first user; raises AccountRefused if there is one."""
        await self._database.write("add the first admin", _add_first_admin_txn, name, password, now)

    async def add(self, actor: str, name: str, password: str, role: str, now: float) -> None:
        """Adds a user; raises AccountRefused if the name is taken."""
        await self._database.write("add a user", add_user_txn, actor, name, password, role, now)

    async def set_password(self, actor: str, name: str, password: str, now: float) -> None:
        """Changes a password and ends the user's sessions; raises AccountRefused if there is no such user."""
        await self._database.write("change a password", _set_password_txn, actor, name, password, now)

    async def set_role(self, actor: str, name: str, role: str, now: float) -> None:
        """Changes a role; raises AccountRefused if there is no such user, or if no admin would be left."""
        await self._database.write("change a role", _set_role_txn, actor, name, role, now)

    async def remove(self, actor: str, name: str, now: float) -> None:
        """Removes a user with its sessions and tokens; raises AccountRefused as set_role does."""
        await self._database.write("remove a user", _remove_user_txn, actor, name, now)

    async def begin_session(self, digest: str, user: str, now: float, expires_at: int) -> None:
        """Starts a session that ends at `expires_at` (Unix seconds), and deletes expired ones."""
        await self._database.write("begin a session", begin_session_txn, digest, user, now, expires_at)

    async def record_failed_sign_ins(self, name: str, address: str, times: int, now: float) -> None:
        """Writes to the audit that someone at an address gave no right password for a name."""
        await self._database.write("record failed sign-ins", _record_failed_sign_ins_txn, name, address, times, now)

    async def session(self, digest: str, now: float) -> User | None:
        """The user of a session that has not expired."""
        return await self._database.read("read a session", _session_txn, digest, now)

    async def open_sessions(self, digests: Collection[str], now: float) -> set[str]:
        """Those of some thousand sessions that have neither ended nor expired."""
        return await self._database.read("read sessions", _open_sessions_txn, digests, now)

    async def end_session(self, digest: str) -> None:
        """Ends a session, if it exists."""
        await self._database.write_again("end a session", _end_session_txn, digest)

    async def add_token(self, actor: str, digest: str, name: str, user: str, role: str, now: float) -> None:
        """Adds a token of a user."""
        await self._database.write("add a token", add_token_txn, actor, digest, name, user, role, now)

    async def token(self, digest: str) -> Token | None:
        """The token of a digest, with a role no higher than its user's; None if the user is gone."""
        return await self._database.read("read a token", _token_txn, digest)

    async def tokens(self, user: str | None = None) -> list[Token]:
        """The tokens of one user, or all."""
        return await self._database.read("list tokens", _tokens_txn, user)

    async def remove_token(self, actor: str, token_id: int, user: str | None, now: float) -> None:
        """Removes a token, if it is of `user` or `user` is None; raises AccountRefused if there is no such token."""
        await self._database.write("remove a token", _remove_token_txn, actor, token_id, user, now)


def _any_user_txn(txn: Transaction) -> bool:
    return txn.one("SELECT name FROM User LIMIT 1") is not None


def _user_txn(txn: Transaction, name: str) -> User | None:
    row = txn.one(f"{_USER} WHERE name = ?", (name,))
    return User(*row) if row else None


def _users_txn(txn: Transaction) -> list[User]:
    return [User(*row) for row in txn.all(f"{_USER} ORDER BY name")]


def _add_first_admin_txn(txn: Transaction, name: str, password: str, now: float) -> None:
    one_at_a_time_txn(txn)
    if _any_user_txn(txn):
        raise AccountRefused("there is an admin already: sign in, or ask an admin for an account")
    add_user_txn(txn, name, name, password, "admin", now)


def add_user_txn(txn: Transaction, actor: str, name: str, password: str, role: str, now: float) -> None:
    """See AccountStore.add."""
    if _user_txn(txn, name) is not None:
        raise AccountRefused(f"there is a user {name} already: choose another name")
    txn.execute(
        "INSERT INTO User (name, password, role, created_at) VALUES (?, ?, ?, ?)", (name, password, role, int(now))
    )
    record_txn(txn, actor, now, [Edit("account", 0, 0, "", f"user {name}: {role}")])


def _set_password_txn(txn: Transaction, actor: str, name: str, password: str, now: float) -> None:
    _known(txn, name)
    txn.execute("UPDATE User SET password = ? WHERE name = ?", (password, name))
    txn.execute("DELETE FROM Session WHERE user_name = ?", (name,))
    record_txn(txn, actor, now, [Edit("account", 0, 0, f"user {name}: password", f"user {name}: new password")])


def _set_role_txn(txn: Transaction, actor: str, name: str, role: str, now: float) -> None:
    one_at_a_time_txn(txn)
    user = _known(txn, name)
    if user.role == role:
        return
    if user.role == "admin":
        _keep_an_admin(txn, name)
    txn.execute("UPDATE User SET role = ? WHERE name = ?", (role, name))
    record_txn(txn, actor, now, [Edit("account", 0, 0, f"user {name}: {user.role}", f"user {name}: {role}")])


def _remove_user_txn(txn: Transaction, actor: str, name: str, now: float) -> None:
    one_at_a_time_txn(txn)
    user = _known(txn, name)
    if user.role == "admin":
        _keep_an_admin(txn, name)
    for statement in (
        "DELETE FROM User WHERE name = ?",
        "DELETE FROM Session WHERE user_name = ?",
        "DELETE FROM ApiToken WHERE user_name = ?",
    ):
        txn.execute(statement, (name,))
    record_txn(txn, actor, now, [Edit("account", 0, 0, f"user {name}: {user.role}", "")])


def _known(txn: Transaction, name: str) -> User:
    row = txn.one(f"{_USER} WHERE name = ?{txn.engine.for_update}", (name,))
    if row is None:
        raise AccountRefused(f"there is no user {name}")
    return User(*row)


def _keep_an_admin(txn: Transaction, name: str) -> None:
    admins = {row[0] for row in txn.all(f"SELECT name FROM User WHERE role = 'admin'{txn.engine.for_update}")}
    if admins <= {name}:
        raise AccountRefused(f"{name} is the only admin: make another one first")


def begin_session_txn(txn: Transaction, digest: str, user: str, now: float, expires_at: int) -> None:
    """See AccountStore.begin_session."""
    txn.execute("DELETE FROM Session WHERE expires_at <= ?", (int(now),))
    txn.execute(
        "INSERT INTO Session (digest, user_name, created_at, expires_at) VALUES (?, ?, ?, ?)",
        (digest, user, int(now), expires_at),
    )


def _record_failed_sign_ins_txn(txn: Transaction, name: str, address: str, times: int, now: float) -> None:
    text = f"user {name}: failed sign-ins from {address}: {times}"
    record_txn(txn, "web", now, [Edit("account", 0, 0, "", text)])


def _session_txn(txn: Transaction, digest: str, now: float) -> User | None:
    row = txn.one(
        "SELECT u.name, u.password, u.role, u.created_at FROM Session s JOIN User u ON u.name = s.user_name "
        "WHERE s.digest = ? AND s.expires_at > ?",
        (digest, int(now)),
    )
    return User(*row) if row else None


def _open_sessions_txn(txn: Transaction, digests: Collection[str], now: float) -> set[str]:
    found: set[str] = set()
    wanted = sorted(digests)
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        query = f"SELECT digest FROM Session WHERE expires_at > ? AND digest IN ({', '.join('?' * len(some))})"
        found.update(str(row[0]) for row in txn.all(query, (int(now), *some)))
    return found


def _end_session_txn(txn: Transaction, digest: str) -> None:
    txn.execute("DELETE FROM Session WHERE digest = ?", (digest,))


def add_token_txn(txn: Transaction, actor: str, digest: str, name: str, user: str, role: str, now: float) -> None:
    """See AccountStore.add_token."""
    txn.execute(
        "INSERT INTO ApiToken (digest, name, user_name, role, created_at) VALUES (?, ?, ?, ?, ?)",
        (digest, name, user, role, int(now)),
    )
    record_txn(txn, actor, now, [Edit("account", 0, 0, "", f"token {name} of {user}: {role}")])


def _token_txn(txn: Transaction, digest: str) -> Token | None:
    row = txn.one(f"{_TOKEN} WHERE digest = ?", (digest,))
    token = Token(*row) if row else None
    of_user = txn.one("SELECT role FROM User WHERE name = ?", (token.user,)) if token else None
    if token is None or of_user is None:
        return None
    return replace(token, role=min(token.role, str(of_user[0]), key=ROLES.index))


def _tokens_txn(txn: Transaction, user: str | None) -> list[Token]:
    where, parameters = ("WHERE user_name = ?", [user]) if user is not None else ("", [])
    return [Token(*row) for row in txn.all(f"{_TOKEN} {where} ORDER BY id", parameters)]


def _remove_token_txn(txn: Transaction, actor: str, token_id: int, user: str | None, now: float) -> None:
    row = txn.one(f"{_TOKEN} WHERE id = ?{txn.engine.for_update}", (token_id,))
    token = Token(*row) if row else None
    if token is None or user not in (None, token.user):
        raise AccountRefused("there is no such token: it may have been removed already")
    txn.execute("DELETE FROM ApiToken WHERE id = ?", (token_id,))
    record_txn(txn, actor, now, [Edit("account", 0, 0, f"token {token.name} of {token.user}: {token.role}", "")])
