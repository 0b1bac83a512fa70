"""Where this server stands on the network: the meaning of paths, networks and certificate files.

From text to values; faults are ``ValueError``s of one phrase.
"""

import ipaddress
import re
from pathlib import Path

from tagline.config.access import why_unreadable
from tagline.config.values import Unusable, shown, split_list

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_BASE_PATH_CHARACTERS = 200
_BASE_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


def parse_base_path(text: str) -> str:
    """A path such as ``/tagline``, without a slash at its end; empty for ``/``.

    Raises:
        ValueError: it is none.
    """
    path = text.strip().rstrip("/")
    if path and (len(path) > MAX_BASE_PATH_CHARACTERS or not _BASE_PATH.fullmatch(path)):
        raise ValueError(f"{shown(text)} is no such path")
    return path


def parse_networks(text: str) -> tuple[Network, ...]:
    """Comma-separated IP addresses and networks (``10.0.0.0/8``).

    Raises:
        ValueError: one is none, has bits of a host, or is everybody.
    """
    return tuple(map(_network, split_list(text)))


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        try:
            meant = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{shown(text)} is no IP address or network") from error
        raise ValueError(f"{shown(text)} is no network; {meant} is") from error
    if network.prefixlen == 0:
        raise ValueError(f"{shown(text)} is everybody, who could then forge their address")
    return network


def parse_file(text: str) -> Path:
    """A file that this user may read; ``~`` is the home directory.

    Raises:
        ValueError: it is none.
    """
    try:
        path = Path(text).expanduser().absolute()
        if not path.is_file():
            what = "is no file" if path.exists() else "does not exist"
            raise ValueError(f"{shown(text)} {what}")
        fault = why_unreadable(path)
    except PermissionError as error:
        raise Unusable(f"{shown(text)} cannot be opened: {error.strerror}", "forbidden") from error
    except (RuntimeError, OSError) as error:
        raise ValueError(f"{shown(text)} cannot be opened") from error
    if fault:
        raise Unusable(f"{shown(text)} {fault}", "forbidden")
    return path
