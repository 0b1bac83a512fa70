"""``token``: make, list and revoke API tokens."""

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from tagline.auth import EXPIRY_MAX_SECONDS
from tagline.cli.asking import server_address
from tagline.cli.output import printable, say, say_json
from tagline.cli.token_places import NotDone, ShownToken, TokenPlace, token_place
from tagline.config.loading import load_settings
from tagline.errors import ConfigurationError

_DAY_SECONDS = 86400
MAX_DAYS = EXPIRY_MAX_SECONDS // _DAY_SECONDS


def token(arguments: Namespace) -> int:
    """Do what is asked; 0 when it is done."""
    settings = load_settings({"PHOTO_STORAGE_PATH": arguments.directory})
    address = partial(server_address, arguments.host, arguments.port)
    with token_place(settings, address) as place:
        _ACTIONS[arguments.action](arguments, place)
    return 0


def _create(arguments: Namespace, place: TokenPlace) -> None:
    """Print the token alone, so that a script can take it; the rest goes to standard error."""
    if arguments.days is not None and not 1 <= arguments.days <= MAX_DAYS:
        raise ConfigurationError("--days", f"must be from 1 to {MAX_DAYS}")
    expires_in = None if arguments.days is None else arguments.days * _DAY_SECONDS
    made = place.create(arguments.name, arguments.scope, expires_in)
    if arguments.json:
        say_json(made)
        return
    say(made.token)
    print(f"{_line(made)}; the token itself is shown only now", file=sys.stderr)


def _list(arguments: Namespace, place: TokenPlace) -> None:
    for shown in place.tokens():
        _show(shown, as_json=arguments.json)


def _revoke(arguments: Namespace, place: TokenPlace) -> None:
    wanted = arguments.token.casefold()
    for shown in place.tokens():
        if wanted in {shown.id, shown.name.casefold()}:
            place.revoke(shown.id)
            _show(shown, as_json=arguments.json)
            return
    raise NotDone("there is no API token of this name or id; tagline token list shows all.")


def _show(token: ShownToken, *, as_json: bool) -> None:
    if as_json:
        say_json(token)
    else:
        say(_line(token))


def _line(shown: ShownToken) -> str:
    until = f"until {shown.expires_at}" if shown.expires_at else "until revoked"
    used = f"last used {shown.last_used_at}" if shown.last_used_at else "never used"
    return f"{shown.id}  {printable(shown.name)}  {shown.scope}, {until}, {used}"


_ACTIONS: Mapping[str, Callable[[Namespace, TokenPlace], None]] = MappingProxyType(
    {"create": _create, "list": _list, "revoke": _revoke}
)
