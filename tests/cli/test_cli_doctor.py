"""``tagline doctor``, and the exit codes of a start that fails."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tagline.cli import checks, checks_live
from tagline.cli.checks_disk import Tree, survey

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path, free_port: int) -> dict[str, str]:
    """Settings over one photo."""
    (tmp_path / "photos" / "2020").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a.gif")
    return {
        "PATH": os.environ["PATH"],
        "PHOTO_STORAGE_PATH": str(tmp_path / "photos"),
        "DATABASE_URL": f"tinydb:///{tmp_path}/data",
        "BACKEND_PASSWORD": "correct horse",
        "TAGLINE_PORT": str(free_port),
    }


def tagline(
    *arguments: str, environment: dict[str, str], program: tuple[str, ...] = ("-m", "tagline")
) -> subprocess.CompletedProcess:
    """Run a command."""
    return subprocess.run(
        [sys.executable, *program, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def doctor(environment: dict[str, str], **more) -> tuple[int, dict[str, dict]]:
    """The exit code, and what each check said."""
    done = tagline("doctor", "--json", environment=environment, **more)
    assert "Traceback" not in done.stderr, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(check["do"] for check in said if check["state"] == "fault")
    return done.returncode, {check["name"]: check for check in said}


def states(said: dict[str, dict]) -> set[str]:
    """The states that were met."""
    return {check["state"] for check in said.values()}


def content(directory: Path) -> dict[str, int]:
    """Every path below a directory with its change time."""
    return {str(path): path.lstat().st_ctime_ns for path in (directory, *directory.rglob("*"))}


def test_where_all_is_well_nothing_is_to_mend(environment, tmp_path):
    """Every check is fine, exit code 0; neither the photos nor the data have changed."""
    photos, kept = content(tmp_path / "photos"), set(content(tmp_path / "data"))
    code, said = doctor(environment)
    assert (code, states(said)) == (0, {"ok"}), said
    names = "photos writable,photos mount,data,data space,inotify,events,clock,index,port,pictures"
    assert set(names.split(",")) <= said.keys()
    assert content(tmp_path / "photos") == photos
    assert set(content(tmp_path / "data")) == kept
    done = tagline("doctor", environment=environment)
    assert done.stdout.endswith("nothing to mend\n")


def test_mistakes_in_the_settings_are_faults_beside_the_other_checks(environment):
    """A missing directory and a typo are told; what needs no setting is still looked at."""
    environment |= {"PHOTO_STORAGE_PATH": "/no/such/place", "TAGLINE_PROT": "1"}
    done = tagline("doctor", environment=environment)
    assert done.returncode == 1
    assert "FAULT   settings: PHOTO_STORAGE_PATH: '/no/such/place' does not exist" in done.stdout
    assert "TAGLINE_PROT: is no setting of Tagline" in done.stdout
    assert "did you mean TAGLINE_PORT" in done.stdout
    assert "ok      pictures" in done.stdout
    assert done.stdout.endswith("2 things to mend\n")


@contextmanager
def serving(environment):
    """A server that runs, and ends however the test does."""
    with subprocess.Popen(
        [sys.executable, "-m", "tagline", "serve"], env=environment, stdout=subprocess.PIPE
    ) as server:
        try:
            assert server.stdout is not None
            assert b"serves" in server.stdout.readline()
            yield server
        finally:
            server.terminate()


def test_it_runs_beside_a_server_and_recognises_it(environment, free_port):
    """Index in use and port taken are well where Tagline answers, and faults where it does not."""
    with serving(environment) as server:
        code, said = doctor(environment)
        assert (code, states(said)) == (0, {"ok"}), said
        assert f"process {server.pid}" in said["index"]["says"]
        assert "answers" in said["port"]["says"]
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = str(other.getsockname()[1])
            code, said = doctor(environment | {"TAGLINE_PORT": port})
            assert code == 1
            assert "no Tagline answers" in said["index"]["says"]
            assert "taken by another program" in said["port"]["says"]


def test_files_of_the_future_are_told(environment, tmp_path):
    """A file that was changed after tomorrow is named, without control characters."""
    later = time.time() + 10 * 86400
    for name in ("ok.jpg", "late\x1b.jpg"):
        (tmp_path / "photos" / "2020" / name).write_bytes(b"")
    os.utime(tmp_path / "photos" / "2020" / "late\x1b.jpg", (later, later))
    code, said = doctor(environment)
    assert code == 1
    assert said["photos times"]["says"].endswith("in the future: 2020/late\\x1b.jpg")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_is_told_whose_the_photos_are(environment):
    """Owner, mode and asking user are told; a start over such directories has exit code 4."""
    base = Path(tempfile.mkdtemp())
    try:
        base.chmod(0o755)
        photos, data = base / "photos", base / "data"
        for directory in (photos, photos / "closed", data):
            directory.mkdir(mode=0o755)
        (photos / "closed").chmod(0o700)
        environment |= {"PHOTO_STORAGE_PATH": str(photos), "DATABASE_URL": f"tinydb:///{data}"}
        nobody = {"program": ("-c", AS_NOBODY)}
        code, said = doctor(environment, **nobody)
        assert code == 1
        for name in ("photos writable", "data"):
            assert "belongs to user 0 and group 0 with mode 0755" in said[name]["says"]
            assert "this is user 65534" in said[name]["says"]
        assert said["photos inside"]["says"] == "1 directory cannot be read: closed"
        assert tagline("serve", environment=environment, **nobody).returncode == 4
        apart = base / "sidecars"
        apart.mkdir()
        os.chown(apart, 65534, 65534)
        _, said = doctor(environment | {"TAGLINE_SIDECAR_PATH": str(apart)}, **nobody)
        assert (said["photos writable"]["state"], said["sidecars"]["state"]) == ("note", "ok")
        photos.chmod(0o700)
        done = tagline("serve", environment=environment, **nobody)
        assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    finally:
        shutil.rmtree(base)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_data_that_another_user_left_is_told(environment):
    """A server that changed its user is told whose the files are that it cannot open: code 4."""
    base = Path(tempfile.mkdtemp())
    try:
        base.chmod(0o755)
        (base / "photos").mkdir()
        data = base / "data"
        data.mkdir()
        data.chmod(0o1777)
        for kept in (data / "photos.jsonl.lock", data / "photos.jsonl"):
            kept.write_text("")
            kept.chmod(0o600)
        environment |= {
            "PHOTO_STORAGE_PATH": str(base / "photos"),
            "DATABASE_URL": f"tinydb:///{data}",
        }
        told = f"'{kept}' must not be read and written: it belongs to user 0 and group 0"
        code, said = doctor(environment, program=("-c", AS_NOBODY))
        assert (code, said["data"]["state"], said["index"]["state"]) == (1, "fault", "skipped")
        assert told in said["data"]["says"]
        assert f"chown -R 65534:65534 {data}" in said["data"]["do"]
        done = tagline("serve", environment=environment, program=("-c", AS_NOBODY))
        assert (done.returncode, done.stderr.count("\n")) == (4, 2)  # a warning, and the line
        assert f"tagline: DATABASE_URL: {told}" in done.stderr
    finally:
        shutil.rmtree(base)


AS_NOBODY = """
import os, sys, encodings.ascii, encodings.idna, tagline.cli.doctor, tagline.cli.serve
from tagline.cli import run
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.exit(run(sys.argv[1:]))
"""
"""The interpreter itself may lie where only root may look: everything is loaded before."""


@pytest.mark.parametrize(
    ("now", "state"), [(None, "ok"), (0.0, "fault"), (4_200_000_000.0, "fault")]
)
def test_a_clock_that_cannot_be_right(now, state):
    """A year before the program, or after 2099, is wrong."""
    assert checks.clock(now).state == state


@pytest.mark.parametrize(
    ("directories", "limit", "state"),
    [(10, 8192, "ok"), (5000, 8192, "note"), (8192, 8192, "fault"), (10, None, "skipped")],
)
def test_the_limit_of_watches(directories, limit, state):
    """Too few watches are a fault with the command that helps; half of them are worth a note."""
    check = checks_live.watches(Tree(directories=directories), limit)
    assert check.state == state
    if state == "fault":
        assert "sysctl fs.inotify.max_user_watches=524288" in check.do


def test_a_long_walk_is_broken_off(tmp_path):
    """After its time a survey ends, and says so."""
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    tree = survey(tmp_path, time.time(), seconds=-1.0)
    assert (tree.finished, tree.directories) == (False, 1)
    assert survey(tmp_path, time.time()).directories == 4


def test_what_keeps_a_server_from_starting_has_its_own_exit_code(environment, tmp_path):
    """Missing directory 3, port taken 5, index in use 6; anything else wrong 2; one line each."""

    def starts(**changed: str) -> tuple[int, int]:
        done = tagline("serve", environment=environment | changed)
        return done.returncode, done.stderr.count("\n")

    assert starts(PHOTO_STORAGE_PATH="/no/such/place") == (3, 1)
    assert starts(TAGLINE_PROT="1") == (2, 1)
    assert starts(TAGLINE_PROT="1", PHOTO_STORAGE_PATH="/no/such/place") == (2, 2)
    with serving(environment):
        assert starts() == (6, 1)
        assert starts(DATABASE_URL=f"tinydb:///{tmp_path}/other") == (5, 1)
