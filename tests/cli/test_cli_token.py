"""``tagline token`` in the database, through a running server, and where neither will do."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PASSWORD = "correct horse battery staple"
TOKEN = re.compile(r"tagline_([0-9a-f]{12})_[0-9a-f]{64}\n")


class Place:
    """A photo directory and a database, and the commands upon them."""

    def __init__(self, directory: Path) -> None:
        (directory / "photos").mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.environment = {
            "PATH": os.environ["PATH"],
            "PHOTO_STORAGE_PATH": str(directory / "photos"),
            "DATABASE_URL": f"tinydb:///{directory}/data",
            "BACKEND_PASSWORD": PASSWORD,
            "TAGLINE_PORT": str(self.port),
        }

    def token(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``tagline token``."""
        return subprocess.run(
            [sys.executable, "-m", "tagline", "token", *arguments],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def serve(self) -> "subprocess.Popen[str]":
        """A server that answers."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tagline", "serve"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        assert "serves" in process.stdout.readline()
        return process

    def status(self, token: str) -> int:
        """What the server answers to whoever bears this token."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/photos")
        request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place where no server has run yet."""
    return Place(tmp_path)


@pytest.fixture
def server(place: Place) -> Iterator["subprocess.Popen[str]"]:
    """A server over the place."""
    process = place.serve()
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_without_a_server_the_database_is_changed(place: Place):
    """Made before the first start, the token works with the server; it is printed alone."""
    made = place.token("create", "backup", "--days", "3")
    assert made.returncode == 0
    match = TOKEN.fullmatch(made.stdout)
    assert match
    assert "backup" in made.stderr
    listed = place.token("list")
    assert listed.stdout.startswith(f"{match[1]}  backup  read, until 2")
    assert listed.stdout.endswith(", never used\n")
    as_json = json.loads(place.token("create", "x y", "--scope", "write", "--json").stdout)
    assert (as_json["name"], as_json["scope"], as_json["expires_at"]) == ("x y", "write", None)
    revoked = place.token("revoke", "X Y")
    assert (revoked.returncode, revoked.stdout.split()[0]) == (0, as_json["id"])
    process = place.serve()
    try:
        assert place.status(made.stdout.strip()) == 200
        assert place.status(as_json["token"]) == 401
    finally:
        process.kill()
        process.communicate()


@pytest.mark.usefixtures("server")
def test_a_running_server_is_asked(place: Place):
    """What is made works at once, what is revoked does not; the database is left to the server."""
    made = place.token("create", "backup")
    assert TOKEN.fullmatch(made.stdout)
    token = made.stdout.strip()
    assert place.status(token) == 200
    [listed] = map(json.loads, place.token("list", "--json").stdout.splitlines())
    assert "token" not in listed
    assert listed["last_used_at"] is not None
    again = place.token("create", "backup")
    assert (again.returncode, again.stdout) == (1, "")
    assert "An API token of this name exists" in again.stderr
    bad = place.token("create", "a\nb")
    assert (bad.returncode, bad.stderr.count("\n")) == (1, 1)
    assert "control" in bad.stderr
    assert place.token("revoke", listed["id"]).returncode == 0
    assert place.status(token) == 401
    assert place.token("list").stdout == ""


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"BACKEND_PASSWORD": ""}, r"a server has the tokens open \(process \d+\): use its POST"),
        ({"BACKEND_PASSWORD": "another password"}, "the server says: Invalid password"),
        ({"TAGLINE_PORT": "1"}, "no answer from 127.0.0.1 port 1: Connection refused"),
        ({"TAGLINE_PORT": "0"}, "TAGLINE_PORT: is 0; say by --port"),
    ],
)
def test_a_server_that_cannot_be_asked(place: Place, environment, told):
    """One line says what to do; nothing is harmed, no password is shown."""
    made = place.token("create", "backup", **environment)
    assert made.returncode in {1, 2}
    assert made.stdout == ""
    assert re.match(f"tagline: {told}", made.stderr)
    assert made.stderr.count("\n") == 1
    assert "password" not in made.stderr.replace("Invalid password", "")
    assert place.token("create", "backup").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("revoke", "nobody"), 1, "there is no API token of this name or id"),
        (("create", "x", "--days", "0"), 2, "--days: must be from 1 to 3650"),
        (("create", " "), 1, "name: must not be empty"),
        (("create", "x", "--scope", "admin"), 2, "invalid choice"),
        ((), 2, "ACTION"),
    ],
)
def test_what_cannot_be_done_is_told(place: Place, arguments, code, told):
    """By exit code and one sentence."""
    done = place.token(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr


def test_in_memory_there_is_nothing_to_keep_tokens_in(place: Place):
    """A database in memory ends with the command."""
    done = place.token("create", "x", DATABASE_URL="tinydb://")
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr


def test_damaged_tokens_are_told_with_advice(place: Place, tmp_path: Path):
    """The file is left as it is."""
    place.token("create", "backup")
    path = tmp_path / "data" / "tokens.jsonl"
    written = path.read_bytes().replace(b"backup", b"hacker")
    path.write_bytes(written)
    done = place.token("list")
    assert done.returncode == 1
    assert "tokens.jsonl is damaged" in done.stderr
    assert "restore it, or delete it" in done.stderr
    assert path.read_bytes() == written


def test_a_start_with_another_password_says_what_it_ends(place: Place):
    """Whoever wonders why a script is refused finds the reason in the log."""
    assert place.token("create", "one").returncode == 0
    for password, told in ((PASSWORD, 0), ("another password", 1), ("another password", 0)):
        with subprocess.Popen(
            [sys.executable, "-m", "tagline", "serve"],
            env=place.environment | {"BACKEND_PASSWORD": password},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert "serves" in process.stdout.readline()
            process.terminate()
            _, errors = process.communicate(timeout=20)
        assert errors.count("all sessions and API tokens have ended") == told
        assert password not in errors


def test_another_password_in_the_settings_ends_no_token(place: Place):
    """Looking at tokens, or making one, is no change of the password; the server's start is."""
    kept = json.loads(place.token("create", "one", "--json").stdout)
    made = place.token("create", "two", BACKEND_PASSWORD="another password")
    assert made.returncode == 0
    assert place.token("list", BACKEND_PASSWORD="another password").stdout.count("\n") == 2
    process = place.serve()
    try:
        assert place.status(kept["token"]) == 200
    finally:
        process.kill()
        process.communicate()
