"""The wrapper of an XMP packet, its padding, and packets made from nothing (ISO 16684-1, 7.3)."""

import re
from collections.abc import Iterable, Mapping

from tagline.metadata import xmp_names as names
from tagline.metadata.field_types import Words
from tagline.metadata.xmp_text import escape

TOOLKIT = "Tagline"
"""What x:xmptk says of a packet that Tagline made."""

_TRAILER = re.compile(rb"""<\?xpacket\s+end\s*=\s*["'][rw]["']\s*\?>\s*\Z""")
_TRAILER_MAX_BYTES = 200
_BLANKS = b" \t\r\n"
_PADDING_LINES = 11
_PADDING = (b" " * 99 + b"\n") * _PADDING_LINES


def property_xml(name: str, words: Words, scope: Mapping[str, str]) -> bytes:
    """The element of a property: a language alternative, a plain text, or a list.

    ``scope`` maps the prefixes in force to their namespaces; what is missing is declared on the
    element itself.
    """
    missing: dict[str, str] = {}
    tag = f"{_prefix(names.namespace_of(name), scope, missing)}:{names.local_name(name)}"
    if isinstance(words, tuple):
        content = list_xml(words, _prefix(names.RDF_NS, scope, missing))
    elif name in names.ALTERNATIVES:
        content = alternative_xml(words, _prefix(names.RDF_NS, scope, missing))
    else:
        content = escape(words)
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in missing.items())
    return f"<{tag}{declared}>".encode() + content + f"</{tag}>".encode()


def alternative_xml(text: str, rdf: str) -> bytes:
    """An rdf:Alt with the text as its only item; ``rdf`` is the prefix of RDF's namespace."""
    return f"<{rdf}:Alt>".encode() + item_xml(text, f"{rdf}:li") + f"</{rdf}:Alt>".encode()


def list_xml(words: Iterable[str], rdf: str) -> bytes:
    """An rdf:Bag with these items; ``rdf`` is the prefix of RDF's namespace."""
    items = (plain_item_xml(word, f"{rdf}:li") for word in words)
    return f"<{rdf}:Bag>".encode() + b"".join(items) + f"</{rdf}:Bag>".encode()


def plain_item_xml(text: str, tag: str) -> bytes:
    """An item of a list."""
    return f"<{tag}>".encode() + escape(text) + f"</{tag}>".encode()


def item_xml(text: str, tag: str) -> bytes:
    """The ``x-default`` item of a language alternative."""
    return f'<{tag} xml:lang="x-default">'.encode() + escape(text) + f"</{tag}>".encode()


def node_xml(properties: Mapping[str, Words], rdf: str | None, indent: bytes) -> bytes:
    """An rdf:Description with these properties, each on a line of its own.

    ``rdf`` is the prefix of RDF's namespace in force, None where it has to be declared; ``indent``
    the line break and blanks before the element.
    """
    uris = dict.fromkeys(names.namespace_of(name) for name in properties)
    scope = {names.PREFIXES[uri]: uri for uri in uris}
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in scope.items())
    if rdf is None:
        rdf = names.PREFIXES[names.RDF_NS]
        declared = f' xmlns:{rdf}="{names.RDF_NS}"{declared}'
    scope[rdf] = names.RDF_NS
    head = f'<{rdf}:Description {rdf}:about=""{declared}>'.encode()
    lines = (indent + b" " + property_xml(name, said, scope) for name, said in properties.items())
    return indent + head + b"".join(lines) + indent + f"</{rdf}:Description>".encode()


def new_packet(properties: Mapping[str, Words], *, padded: bool) -> bytes:
    """A packet that says just this: wrapped and padded for a file, or bare for a sidecar."""
    rdf = names.PREFIXES[names.RDF_NS]
    meta = (
        f'<x:xmpmeta xmlns:x="{names.X_NS}" x:xmptk="{TOOLKIT}">\n'
        f' <{rdf}:RDF xmlns:{rdf}="{names.RDF_NS}">'
    ).encode() + node_xml(properties, rdf, b"\n  ")
    meta += f"\n </{rdf}:RDF>\n</x:xmpmeta>\n".encode()
    if not padded:
        return b'<?xml version="1.0" encoding="UTF-8"?>\n' + meta
    begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'.encode()
    return begin + meta + _PADDING + b'<?xpacket end="w"?>'


def fitted(data: bytes, length: int) -> bytes:
    """The packet's XML at ``length`` bytes, as far as the padding before its trailer allows.

    Padding is used up before the packet grows, and takes up what became free; without a wrapper
    there is no padding, and the length is what it is.
    """
    surplus = len(data) - length
    packet_end = len(data.rstrip(_BLANKS))
    trailer_at = data.rfind(b"<?xpacket", max(packet_end - _TRAILER_MAX_BYTES, 0), packet_end)
    if surplus == 0 or trailer_at < 0 or not _TRAILER.match(data, trailer_at):
        return data
    padding_at = len(data[:trailer_at].rstrip(_BLANKS))
    last = max(trailer_at - 1, padding_at)
    if surplus < 0:
        return data[:last] + b" " * -surplus + data[last:]
    return data[: max(last - surplus, padding_at)] + data[last:]


def _prefix(uri: str, scope: Mapping[str, str], missing: dict[str, str]) -> str:
    """A prefix for a namespace: one in force, else Tagline's own, noted as to be declared."""
    for prefix, known in scope.items():
        if known == uri and prefix:
            return prefix
    prefix = names.PREFIXES[uri]
    missing[prefix] = uri
    return prefix
