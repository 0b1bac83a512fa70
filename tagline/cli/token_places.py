"""Where ``token`` finds API tokens: in the database, or in the server that has it open."""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Protocol, TypeVar

import msgspec

from tagline.auth import ApiToken, ApiTokenService, Scope
from tagline.cli.asking import ServerAddress
from tagline.config.credentials import api_tokens_of, password_of
from tagline.config.settings import Settings
from tagline.errors import IndexLocked, TaglineError
from tagline.library.reporting import moment


class NotDone(TaglineError):
    """The server did not do what it was asked, or could not be asked."""


class ShownToken(msgspec.Struct, kw_only=True):
    """An API token without its text; times are RFC 3339."""

    id: str
    name: str
    scope: Scope
    created_at: str | None
    expires_at: str | None
    last_used_at: str | None


class MadeToken(ShownToken, kw_only=True):
    """A new API token with its text."""

    token: str


class TokenPlace(Protocol):
    """What can be done with API tokens; each raises a ``TaglineError`` where it is not done."""

    def create(self, name: str, scope: Scope, expires_in: int | None) -> MadeToken:
        """Make one that is good for so many seconds, or until it is revoked."""
        ...

    def tokens(self) -> Sequence[ShownToken]:
        """All of them, oldest first."""
        ...

    def revoke(self, token_id: str) -> None:
        """End one."""
        ...


@contextmanager
def token_place(settings: Settings, address: Callable[[], ServerAddress]) -> Generator[TokenPlace]:
    """The database of the settings; where a server has it open, that server at ``address()``.

    Raises:
        ConfigurationError: the settings do not say where the database is.
        IndexFailure: it cannot be used.
        NotDone: a server has it open, and no password is configured to ask it by.
        NoAnswer: a server has it open, and does not answer at this address.
    """
    with ExitStack() as stack:
        try:
            place = _Database(stack.enter_context(api_tokens_of(settings)))
        except IndexLocked as error:
            place = stack.enter_context(_logged_in(settings, address, error))
        yield place


class _Database:
    """API tokens in the database, which no server has open."""

    def __init__(self, service: ApiTokenService) -> None:
        self._service = service

    def create(self, name: str, scope: Scope, expires_in: int | None) -> MadeToken:
        made = self._service.create(name, scope, expires_in)
        shown = msgspec.structs.asdict(_shown(made.shown))
        return MadeToken(token=made.token, **shown)

    def tokens(self) -> Sequence[ShownToken]:
        return [_shown(token) for token in self._service.tokens()]

    def revoke(self, token_id: str) -> None:
        self._service.revoke(token_id)


def _shown(token: ApiToken) -> ShownToken:
    return ShownToken(
        id=token.id,
        name=token.name,
        scope=token.scope,
        created_at=moment(token.created_at),
        expires_at=moment(token.expires_at),
        last_used_at=moment(token.used_at),
    )


class _LoggedIn(msgspec.Struct):
    access_token: str


class _Listed(msgspec.Struct):
    items: list[ShownToken]


class _Problem(msgspec.Struct):
    msg: str


class _Refusal(msgspec.Struct):
    detail: str | list[_Problem]


_Answer = TypeVar("_Answer", bound=msgspec.Struct)


@contextmanager
def _logged_in(
    settings: Settings, address: Callable[[], ServerAddress], locked: IndexLocked
) -> Generator["_Server"]:
    """The server that has the database open, for as long as one session with it."""
    password = password_of(settings)
    if password is None:
        by = locked.holder or "another process"
        raise NotDone(
            f"a server has the tokens open ({by}): use its POST /tokens, or set BACKEND_PASSWORD "
            "so that this command can, or stop it."
        )
    server = _Server(address())
    server.log_in(password)
    try:
        yield server
    finally:
        server.log_out()


class _Server:
    """API tokens of a running server."""

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._headers: dict[str, str] = {}

    def log_in(self, password: str) -> None:
        said = self._decoded(self._ask("POST", "/login", {"password": password}), _LoggedIn)
        self._headers["Authorization"] = f"Bearer {said.access_token}"

    def log_out(self) -> None:
        self._ask("POST", "/logout")

    def create(self, name: str, scope: Scope, expires_in: int | None) -> MadeToken:
        wanted = {"name": name, "scope": scope, "expires_in": expires_in}
        return self._decoded(self._ask("POST", "/tokens", wanted), MadeToken)

    def tokens(self) -> Sequence[ShownToken]:
        return self._decoded(self._ask("GET", "/tokens"), _Listed).items

    def revoke(self, token_id: str) -> None:
        self._ask("DELETE", f"/tokens/{token_id}")

    def _ask(self, method: str, path: str, body: object = None) -> bytes:
        answered = self._address.ask(method, path, body, self._headers)
        if answered.status < 300:
            return answered.body
        detail = self._decoded(answered.body, _Refusal).detail
        said = detail if isinstance(detail, str) else "; ".join(one.msg for one in detail)
        raise NotDone(f"the server says: {said}")

    def _decoded(self, body: bytes, kind: type[_Answer]) -> _Answer:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise self._address.not_tagline() from error
