"""Operations that tell of the API itself: the document, and the page made of it."""

import asyncio
import json
from hashlib import blake2b

from aiohttp import web
from pydantic import Field

from tagline.api.answers import compressible, json_answer, not_modified
from tagline.api.clients import base_of
from tagline.api.compression import Body
from tagline.api.conditional import Validators, Verdict, evaluate
from tagline.api.docs_files import load_docs_files
from tagline.api.inputs import Call, PathInput
from tagline.api.keys import DESCRIBED, Described
from tagline.api.openapi import servers
from tagline.api.operations import Access, Answer, Declaration, operation
from tagline.api.refusals import NoSuchAddress

_TAG = "Documentation"
_UNCHANGED = Answer(
    status=304, says="It is still the one that the request names.", headers=("ETag",)
)
_ASK_AGAIN = {"Cache-Control": "no-cache"}


class DocsFilePath(PathInput):
    """Which file."""

    name: str = Field(description="The file's name.", examples=["swagger-ui.css"])


@operation(
    "GET",
    "/openapi.json",
    Declaration(
        tag=_TAG,
        access=Access.OPEN,
        answers=(
            Answer(
                status=200,
                says="The document.",
                media_type="application/json",
                headers=("ETag",),
            ),
            _UNCHANGED,
        ),
    ),
)
async def get_openapi(call: Call) -> web.Response:
    """This API as an OpenAPI 3.1 document."""
    document = _seen_by(call, (await _described(call)).document)
    validators = Validators(blake2b(document, digest_size=12).hexdigest(), None)
    if evaluate(call.request.headers, validators) is Verdict.NOT_MODIFIED:
        return not_modified(validators)
    return compressible(json_answer(document, headers=_ASK_AGAIN | validators.headers()))


async def _described(call: Call) -> Described:
    """The API described; made in a thread for who asks first."""
    return await asyncio.to_thread(call.request.app[DESCRIBED])


def _seen_by(call: Call, document: bytes) -> bytes:
    """The document, with this server's path as the client sees it."""
    known, seen = call.options.base_path, base_of(call.request)
    if known == seen:
        return document
    was, now = (f'"servers": {json.dumps(servers(base))}'.encode() for base in (known, seen))
    return document.replace(was, now, 1)


@operation(
    "GET",
    "/docs",
    Declaration(
        tag=_TAG,
        access=Access.OPEN,
        answers=(Answer(status=200, says="The page.", media_type="text/html"),),
    ),
)
async def get_docs(call: Call) -> web.Response:
    """This API as a page for people, to read and to try.

    It needs nothing from any other server, and shows all without scripts as well.
    """
    page = (await _described(call)).page
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": page.content_security_policy,
    }
    return compressible(web.Response(body=page.html, headers=headers | _ASK_AGAIN))


@operation(
    "GET",
    "/docs/{name}",
    Declaration(
        tag=_TAG,
        access=Access.OPEN,
        answers=(
            Answer(status=200, says="The file.", media_type="*/*", headers=("ETag",)),
            _UNCHANGED,
        ),
        refusals=(NoSuchAddress,),
    ),
)
async def get_docs_file(call: Call, path: DocsFilePath) -> web.Response:
    """A script or style of the page for people."""
    file = (await asyncio.to_thread(load_docs_files)).get(path.name)
    if file is None:
        raise NoSuchAddress
    validators = Validators(file.etag, None)
    if evaluate(call.request.headers, validators) is Verdict.NOT_MODIFIED:
        return not_modified(validators)
    headers = {"Content-Type": file.content_type, **_ASK_AGAIN, **validators.headers()}
    response = web.Response(body=file.data, headers=headers)
    return compressible(response, Body.GZIPPED if file.gzipped else Body.PLAIN)


OPERATIONS = (get_openapi, get_docs, get_docs_file)
