"""Who a request is from when proxies hand it on: from its headers, purely.

Only what trusted proxies say counts: ``Forwarded`` (RFC 7239) or ``X-Forwarded-For`` and its kin.
Each proxy appends whom it got the request from, so the list is read from its right end: the first
address that is no trusted proxy is the client, and what stands left of it is the client's own word.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from tagline.api.cookies import Headers

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_HOPS = 32
"""So many proxies are looked through."""

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, 5.6.2; no secret
_PAIR = re.compile(rf'\s*({_TOKEN})=({_TOKEN}|"(?:[^"\\]|\\.)*")\s*')
_WITH_PORT = re.compile(
    r"\[([0-9A-Fa-f:.]+)\](?::[\w.-]+)?|([0-9.]+)(?::[\w.-]+)?|([0-9A-Fa-f:.]+)"
)
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,255}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){1,8}")
_LONGEST_PREFIX = 200
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and how they see this server.

    ``secure`` says that they speak TLS, ``host`` is the host and port that they asked for, and
    ``prefix`` what a proxy took from the front of the path, such as ``/tagline``; mostly empty.
    """

    address: str
    secure: bool
    host: str
    prefix: str = ""


def client_of(
    peer: str, headers: Headers, trusted: Sequence[Network], *, secure: bool = False
) -> Client:
    """The client of a request whose connection comes from ``peer``, over TLS if ``secure``."""
    host = headers.get("Host", "")
    address = parse_address(peer) if trusted else None
    if address is None or not is_trusted(address, trusted):
        return Client(address=peer, secure=secure, host=host)
    hops = _hops(headers)
    client, count = _walk(address, hops, trusted)
    told = hops[-count] if count else _NOTHING
    scheme = told.get("proto", "").lower()
    return Client(
        address=str(client),
        secure=scheme == "https" if scheme in {"http", "https"} else secure,
        host=told["host"] if _HOST.fullmatch(told.get("host", "")) else host,
        prefix=_prefix(headers),
    )


def is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks."""
    return any(address in network for network in trusted)


def parse_address(text: str) -> Address | None:
    """An IP address, whose port and brackets are dropped; IPv4 written as IPv6 is IPv4."""
    match = _WITH_PORT.fullmatch(text.partition("%")[0].strip())
    if match is None:
        return None
    try:
        address = ipaddress.ip_address(match[1] or match[2] or match[3])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _walk(
    peer: Address, hops: Sequence[Mapping[str, str]], trusted: Sequence[Network]
) -> tuple[Address, int]:
    """The client, and how many hops from the right its own is; 0 where no proxy told of one."""
    client, count = peer, 0
    for hop in reversed(hops[-MOST_HOPS:]):
        address = parse_address(hop.get("for", ""))
        if address is None:  # unknown, hidden or nonsense (RFC 7239, 6): the proxy stands for it
            break
        client, count = address, count + 1
        if not is_trusted(address, trusted):
            break
    return client, count


def _hops(headers: Headers) -> Sequence[Mapping[str, str]]:
    """What each proxy told, the nearest last; nothing where two kinds of headers disagree.

    A proxy that writes one kind may hand on the other kind as its client sent it.
    """
    standard, common = _standard(headers), _common(headers)
    if standard is None or common is None:
        return standard or common or ()
    told = [[parse_address(hop.get("for", "")) for hop in hops] for hops in (standard, common)]
    return standard if told[0] == told[1] else ()


def _standard(headers: Headers) -> list[dict[str, str]] | None:
    """The elements of ``Forwarded``; an empty list where it is malformed, None where it is not."""
    if "Forwarded" not in headers:
        return None
    text = ", ".join(headers.getall("Forwarded"))
    elements: list[dict[str, str]] = [{}]
    place = 0
    while match := _PAIR.match(text, place):
        name, value = match[1].lower(), match[2]
        if name in elements[-1]:
            return []
        elements[-1][name] = _unquoted(value)
        place = match.end()
        if place == len(text):
            return elements
        if text[place] == ",":
            elements.append({})
        elif text[place] != ";":
            return []
        place += 1
    return []


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _common(headers: Headers) -> list[dict[str, str]] | None:
    """``X-Forwarded-For`` with ``-Proto`` and ``-Host``, as if it were ``Forwarded``.

    These have one value, or one for each address; of fewer the leftmost counts for those beyond.
    """
    if "X-Forwarded-For" not in headers:
        return None
    addresses = list(_values(headers, "X-Forwarded-For"))
    hops = [{"for": address} for address in addresses]
    for name in ("proto", "host"):
        values = list(_values(headers, f"X-Forwarded-{name}"))
        for distance, hop in enumerate(reversed(hops), start=1):
            if values:
                hop[name] = values[-min(distance, len(values))]
    return hops


def _values(headers: Headers, name: str) -> Iterator[str]:
    for line in headers.getall(name, []):
        yield from (part.strip() for part in line.split(","))


def _prefix(headers: Headers) -> str:
    """``X-Forwarded-Prefix`` without a slash at its end, where it is a plain path."""
    given = headers.getall("X-Forwarded-Prefix", [])
    prefix = given[0].strip().rstrip("/") if len(given) == 1 else ""
    plain = len(prefix) <= _LONGEST_PREFIX and _PREFIX.fullmatch(prefix)
    return prefix if plain else ""
