"""The documentation as a page: Swagger UI, or plain HTML for readers without scripts.

Both are made of the OpenAPI document. Nothing comes from another server; the page's policy allows
no script but the files beside it.
"""

import base64
import hashlib
import json
from html import escape
from typing import Any

import msgspec

_STYLE = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
section { border-top: 1px solid #8886; margin-top: 1.5rem; padding-top: .5rem; }
h3 code { font-size: 1.05rem; }
h3 b { display: inline-block; min-width: 4rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
pre { background: #8882; overflow-x: auto; padding: .6rem; white-space: pre-wrap; }
.open { opacity: .7; }
"""

_FILES = (
    '<link rel="stylesheet" href="docs/swagger-ui.css">'
    '<link rel="stylesheet" href="docs/page.css">'
    '<script src="docs/swagger-ui-bundle.js" defer></script>'
    '<script src="docs/start.js" defer></script>'
)
_LOGIN = (
    '<form id="login" hidden><label>Password: <input type="password" name="password" '
    'autocomplete="current-password" required></label> <button>Log in</button> '
    '<output id="said">Then each operation can be tried.</output></form>'
)


class DocsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page, and the policy under which a browser may show it."""

    html: bytes
    content_security_policy: str


def make_docs_page(document: dict[str, Any]) -> DocsPage:
    """The page of an OpenAPI document."""
    info = document["info"]
    operations = [
        _operation(path, method, item)
        for path, methods in document["paths"].items()
        for method, item in methods.items()
        if method != "head"
    ]
    schemas = [
        f'<section id="{escape(name)}"><h3><code>{escape(name)}</code></h3>'
        f"{_details('JSON Schema', schema)}</section>"
        for name, schema in document["components"]["schemas"].items()
    ]
    plain = (
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"{_paragraphs(info['description'])}"
        '<p>For programs: <a href="openapi.json">openapi.json</a>.</p>'
        f"<h2>Operations</h2>{''.join(operations)}<h2>Schemas</h2>{''.join(schemas)}"
    )
    html = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])} API</title>"
        f"<noscript><style>{_STYLE}</style></noscript>{_FILES}</head>"
        f'<body>{_LOGIN}<div id="swagger-ui"></div><noscript>{plain}</noscript></body></html>'
    )
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'sha256-{digest}'; "
        "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    return DocsPage(html=html.encode(), content_security_policy=policy)


def _operation(path: str, method: str, item: dict[str, Any]) -> str:
    """The section of one operation."""
    access = "" if item["security"] else ' <span class="open">(open)</span>'
    body = item.get("requestBody")
    return (
        f'<section id="{escape(item["operationId"])}">'
        f"<h3><b>{escape(method.upper())}</b> <code>{escape(path)}</code>{access}</h3>"
        f"<p>{_inline(item['summary'])}.</p>{_paragraphs(item['description'])}"
        f"{_parameters(item['parameters'])}"
        f"{'<p>Body: ' + _schema(body['content']) + '</p>' if body else ''}"
        f"{_responses(item['responses'])}</section>"
    )


def _parameters(parameters: list[dict[str, Any]]) -> str:
    """The table of parameters."""
    rows = [
        f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}</td>"
        f"<td>{_inline(p.get('description', ''))}</td></tr>"
        for p in parameters
    ]
    return (
        f"<table><tr><th>Parameter</th><th>In</th><th></th></tr>{''.join(rows)}</table>"
        if (rows)
        else ""
    )


def _responses(responses: dict[str, Any]) -> str:
    """The table of answers."""
    rows = [
        f"<tr><td>{escape(status)}</td><td>{_inline(r['description'])}</td>"
        f"<td>{_schema(r.get('content', {}))}</td></tr>"
        for status, r in sorted(responses.items())
    ]
    return f"<table><tr><th>Status</th><th></th><th>Body</th></tr>{''.join(rows)}</table>"


def _schema(content: dict[str, Any]) -> str:
    """Links to the schemas of a body, or its media type."""
    shown: list[str] = []
    for media_type, body in content.items():
        schema = body.get("schema", {})
        names = [s["$ref"].rpartition("/")[2] for s in schema.get("anyOf", [schema]) if "$ref" in s]
        links = [f'<a href="#{escape(n)}"><code>{escape(n)}</code></a>' for n in names]
        shown.append(" or ".join(links) or f"<code>{escape(media_type)}</code>")
    return ", ".join(shown)


def _details(title: str, value: object) -> str:
    """JSON that unfolds."""
    text = escape(json.dumps(value, indent=2, ensure_ascii=False))
    return f"<details><summary>{escape(title)}</summary><pre>{text}</pre></details>"


def _paragraphs(text: str) -> str:
    """Text with blank lines between its paragraphs."""
    return "".join(f"<p>{_inline(part)}</p>" for part in text.strip().split("\n\n"))


def _inline(text: str) -> str:
    """Text in which back quotes mark code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))
