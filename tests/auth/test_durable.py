"""The token store over the durable database: restart, kill, damage, modes."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tagline.auth.store import TokenStore
from tagline.auth.tokens import TokenService
from tagline.errors import IndexDamaged, InvalidToken
from tagline.index import open_database

SECRET = "0123456789abcdef" * 4
NOW = 1_700_000_000.0

# Says what was acknowledged, one line each: a login, a refresh of it, and every third its end.
WRITER = """
import sys
from pathlib import Path
from tagline.auth.store import TokenStore
from tagline.auth.tokens import TokenService
from tagline.index import open_database

database = open_database(Path(sys.argv[1]), durable=True)
service = TokenService(TokenStore(database), sys.argv[2], lambda: float(sys.argv[3]), 900, 86400)
for number in range(100000):
    first = service.issue()
    second = service.refresh(first.refresh_token)
    print("live", first.access_token, first.refresh_token, second.refresh_token, flush=True)
    if number % 3 == 0:
        session = service.verify(first.access_token).session_id
        print("ending", first.access_token, flush=True)
        service.revoke(session)
        print("ended", first.access_token, flush=True)
"""


def kill_a_writer(path: Path, lines: int) -> list[list[str]]:
    """What a writer acknowledged that was killed as soon as it had said so many lines."""
    command = [sys.executable, "-c", WRITER, str(path), SECRET, str(NOW)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline().split() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
    # The last line may be torn.
    return said + [line.split() for line in rest.split("\n")[:-1]]


@pytest.mark.parametrize("lines", [1, 2, 3, 20, 61])
def test_kill(tmp_path, lines):
    """After kill -9 every acknowledged login works, and every acknowledged end holds."""
    said = kill_a_writer(tmp_path / "tokens.jsonl", lines)
    database = open_database(tmp_path / "tokens.jsonl", durable=True)
    service = TokenService(TokenStore(database), SECRET, lambda: NOW, 900, 86400)
    logins = {access: refreshes for word, access, *refreshes in said if word == "live"}
    ending = {access for word, access, *_ in said if word == "ending"}
    ended = {access for word, access, *_ in said if word == "ended"}
    assert logins
    for access, (used, live) in logins.items():
        if access in ended:
            with pytest.raises(InvalidToken):
                service.verify(access)
        elif access not in ending:
            service.verify(access)
            newest = service.refresh(live).refresh_token
            with pytest.raises(InvalidToken):
                service.refresh(used)
            with pytest.raises(InvalidToken):
                service.refresh(newest)
    database.close()


def test_restart_and_modes(tmp_path):
    """Sessions and the password's digest survive a restart, in a file of mode 0600."""
    path = tmp_path / "tokens.jsonl"
    pair = None
    for _ in range(3):
        database = open_database(path, durable=True)
        service = TokenService(TokenStore(database), SECRET, lambda: NOW, 900, 86400)
        assert service.bind_password("one") is False
        pair = service.refresh(pair.refresh_token) if pair else service.issue()
        service.verify(pair.access_token)
        database.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_damage_is_refused(tmp_path):
    """A damaged file is not loaded, so that no ended session comes back."""
    path = tmp_path / "tokens.jsonl"
    database = open_database(path, durable=True)
    service = TokenService(TokenStore(database), SECRET, lambda: NOW, 900, 86400)
    service.issue()
    service.issue()
    database.close()
    lines = path.read_bytes().split(b"\n")
    lines[1] = b"#" * len(lines[1])
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(IndexDamaged):
        open_database(path, durable=True)


def test_no_token_on_disk(tmp_path):
    """Neither a token nor the id within it nor the password stands in the file."""
    path = tmp_path / "tokens.jsonl"
    database = open_database(path, durable=True)
    service = TokenService(TokenStore(database), SECRET, lambda: NOW, 900, 86400)
    service.bind_password("correct horse battery")
    pair = service.issue()
    claims = service.verify(pair.access_token)
    database.close()
    content = path.read_text(encoding="utf-8")
    for secret in (pair.access_token, pair.refresh_token, claims.token_id, SECRET, "correct horse"):
        assert secret not in content
