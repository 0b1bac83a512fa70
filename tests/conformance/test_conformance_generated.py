"""A client that a stock generator made of the OpenAPI document alone."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = """\
post_hooks: []
content_type_overrides: {"*/*": application/octet-stream, "image/*": application/octet-stream}
"""

PROGRAM = """\
import sys
from made import AuthenticatedClient, Client
from made.api.photos import get_image, get_photo, list_photos, update_metadata
from made.api.sessions import login
from made.models import LoginRequest, LoginResponse, Photo, UpdateMetadataRequest

url, password = sys.argv[1:]
tokens = login.sync(client=Client(url), body=LoginRequest(password=password))
assert isinstance(tokens, LoginResponse), tokens
with AuthenticatedClient(url, tokens.access_token, raise_on_unexpected_status=True) as client:
    page = list_photos.sync(client=client, limit=500)
    assert [photo.object_key for photo in page.items][0] == "2019/Sommer & Meer/c.webp", page
    for photo in page.items:
        body = UpdateMetadataRequest(description=f"about {photo.object_key}", rating=4)
        changed = update_metadata.sync(
            photo.id, client=client, body=body, if_match=f'"{photo.etag}"'
        )
        assert isinstance(changed, Photo), changed
        again = get_photo.sync(photo.id, client=client)
        assert again == changed
        assert again.metadata.description == f"about {photo.object_key}"
        image = get_image.sync_detailed(photo.id, client=client)
        assert len(image.content) == changed.size
    refused = update_metadata.sync_detailed(
        photo.id, client=client, body=body, if_match=f'"{photo.etag}"'
    )
    assert (refused.status_code, refused.parsed.etag) == (412, changed.etag)
print(len(page.items))
"""


def run(*command: str, cwd: Path) -> str:
    """Run a program to its end; give what it printed."""
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_generated_client_works(server, tool, tmp_path):
    """It logs in, lists, edits under a condition, and tells a refusal from an answer."""
    document = (await server.ask("GET", "/openapi.json")).json
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    (tmp_path / "program.py").write_text(PROGRAM)
    await asyncio.to_thread(
        run, tool("openapi-python-client"), "generate", "--path", "openapi.json",
        "--output-path", "made", "--meta", "none", "--config", "settings.yaml",
        "--fail-on-warning", cwd=tmp_path,
    )  # fmt: skip
    password = server.environment["BACKEND_PASSWORD"]
    said = await asyncio.to_thread(
        run, sys.executable, "program.py", server.url, password, cwd=tmp_path
    )
    assert said == "5\n"
