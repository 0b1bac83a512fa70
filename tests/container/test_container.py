"""The image as operators run it: any user, nothing writable but its volumes, no capability."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.container.engine import PASSWORD, podman
from tests.machine import program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SIDECARS = ("c.gif.json", "c.gif.xmp", "p.avif.json", "p.avif.xmp")


def give(directory: Path, user: int, group: int, mode: int = 0o640) -> None:
    """Let a directory and its files belong to somebody."""
    os.chown(directory, user, group)
    for path in directory.iterdir():
        os.chown(path, user, group)
        path.chmod(mode)


def access(path: Path) -> tuple[int, int, int]:
    """Owner, group and mode of a file."""
    status = path.stat()
    return status.st_uid, status.st_gid, status.st_mode & 0o7777


def text_in(path: Path) -> str:
    """The EXIF ImageDescription of a photo, read by Pillow."""
    with Image.open(path) as image:
        return image.getexif()[0x010E].rstrip("\0")


def describe_all(container, text):
    """Describe one photo of each kind; give the new photos."""
    answers = [container.describe(key, text) for key in ("a.jpg", "c.gif", "p.avif")]
    assert [answer.status for answer in answers] == [200] * 3, answers
    return [answer.json for answer in answers]


@pytest.fixture(params=["1000:1000", "99:100"])
def user(request) -> tuple[int, int]:
    """A user and group that the image knows nothing of."""
    uid, gid = request.param.split(":")
    return int(uid), int(gid)


def test_any_user_lives_a_whole_life(run, photos, volume, user):
    """Log in, describe, stop, start: the session and the descriptions are still there."""
    give(photos, *user)
    container = run(
        f"--user={user[0]}:{user[1]}", f"--volume={photos}:/photos", f"--volume={volume}:/data"
    ).start()
    written = describe_all(container, "at the sea")
    assert [photo["stored_in"] for photo in written] == [
        ["exif", "xmp"],
        ["xmp_sidecar", "json_sidecar"],
        ["xmp_sidecar", "json_sidecar"],
    ]
    assert text_in(photos / "a.jpg") == "at the sea"
    for name in ("a.jpg", *SIDECARS):
        assert access(photos / name) == (*user, 0o640), name
    refresh = {"refresh_token": container.tokens["refresh_token"]}

    code, seconds = container.stop()
    assert code == 0
    assert seconds < 10
    container.again()
    shown = container.photos()
    assert {photo["metadata"]["description"] for photo in shown.values()} == {"at the sea"}
    assert {photo["id"] for photo in written} == {photo["id"] for photo in shown.values()}
    assert container.ask("POST", "/refresh", refresh).status == 200


def test_it_can_do_nothing_that_it_need_not(run, photos, volume):
    """No capability, no pip, no place to write but the volumes, not even /tmp; it still works."""
    give(photos, 1000, 1000)
    container = run(
        "--read-only-tmpfs=false", f"--volume={photos}:/photos", f"--volume={volume}:/data"
    ).start()
    for photo in describe_all(container, "a private matter"):
        assert container.status(f"/photos/{photo['id']}/thumbnail") == 200
    _, found = container.exec("find", "/", "-xdev", "-type", "d", "-writable")
    writable = [line for line in found.splitlines() if not line.startswith("find: ")]
    assert sorted(writable) == ["/data", "/photos"]
    _, status = container.exec("cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status
    assert "Uid:\t1000\t1000\t1000\t1000" in status
    assert container.exec("/opt/tagline/bin/python", "-m", "pip", "--version")[0] != 0
    _, modes = container.exec("find", "/data", "-type", "f", "-perm", "/077")
    assert modes == ""


def test_every_line_logged_is_json_without_secrets(run, photos, volume):
    """One line says what is served where; each other one is JSON, and none holds a secret."""
    give(photos, 1000, 1000)
    container = run(f"--volume={photos}:/photos", f"--volume={volume}:/data").start()
    describe_all(container, "a private matter")
    logs = container.logs()
    tokens = container.tokens
    for secret in (PASSWORD, "a private matter", tokens["access_token"], tokens["refresh_token"]):
        assert secret not in logs
    others = [line for line in logs.splitlines() if not line.startswith("{")]
    assert [line.split(" ", 2)[2] for line in others] == [
        f"serves /photos at http://0.0.0.0:{container.port}"
    ]
    for line in logs.splitlines():
        assert not line.startswith("{") or json.loads(line)["level"] == "info"


def test_the_health_check_tells_the_state(run, photos, volume, image):
    """The check of the image is ``tagline health``: 0 while it works, 1 when nothing answers."""
    shown = podman("image", "inspect", "--format", "{{json .HealthCheck}}", image)
    assert json.loads(shown.splitlines()[-1])["Test"] == ["CMD", "tagline", "health"]
    give(photos, 1000, 1000)
    container = run(f"--volume={photos}:/photos", f"--volume={volume}:/data").start()
    podman("healthcheck", "run", container.id)
    assert container.state("Health.Status") == "healthy"
    code, line = container.exec("tagline", "health")
    assert (code, line) == (0, "ready: 3 photos; changes are noticed by notify\n")
    code, line = container.exec("tagline", "health", "--port", "1")
    assert (code, line) == (1, "tagline: no answer from 127.0.0.1 port 1: Connection refused.\n")


def renew(directory: Path, name: str) -> None:
    """Put a new certificate and its key in place, as docs/operating.md says and tools do."""
    new = directory / f"{name}.crt", directory / f"{name}.key"
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec",
         "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "825",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:nas,IP:127.0.0.1",
         "-out", new[0], "-keyout", new[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    for path in new:
        os.chown(path, 1000, 1000)
        path.rename(directory / f"tagline{path.suffix}")


def test_tls_of_its_own(run, photos, volume, tmp_path):
    """Self-signed, below a path: https for clients and for the image's check, also renewed."""
    give(photos, 1000, 1000)
    files = tmp_path / "tls"
    files.mkdir()
    renew(files, "first")
    container = run(
        f"--volume={photos}:/photos",
        f"--volume={volume}:/data",
        f"--volume={files}:/tls:ro",
        TAGLINE_TLS_CERTIFICATE="/tls/tagline.crt",
        TAGLINE_TLS_KEY="/tls/tagline.key",
        TAGLINE_BASE_PATH="/tagline",
    )
    container.trust(files / "tagline.crt")
    container.start()
    podman("healthcheck", "run", container.id)
    assert container.state("Health.Status") == "healthy"
    assert container.describe("a.jpg", "by https").status == 200

    renew(files, "second")
    assert container.photos().keys() == {"a.jpg", "c.gif", "p.avif"}  # still by the first one
    podman("kill", "--signal", "HUP", container.id)
    container.trust(files / "tagline.crt")
    container.wait_until_ready()
    assert container.exec("tagline", "health")[0] == 0
    assert f"serves /photos at https://0.0.0.0:{container.port}/tagline\n" in container.logs()
    assert "error" not in container.logs()


def test_secrets_come_from_files(run, photos, volume, tmp_path):
    """The password may be in a file that only the server's user may read."""
    give(photos, 1000, 1000)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "password").write_text(f"{PASSWORD}\n")
    give(secrets, 1000, 1000, 0o400)
    container = run(
        f"--volume={photos}:/photos",
        f"--volume={volume}:/data",
        f"--volume={secrets}/password:/run/secrets/password:ro",
        BACKEND_PASSWORD="",
        BACKEND_PASSWORD_FILE="/run/secrets/password",
    ).start()
    assert container.photos().keys() == {"a.jpg", "c.gif", "p.avif"}


def test_new_files_take_after_the_photo_beside_them(run, photos, volume):
    """As root with CHOWN, sidecars and edited photos belong to whom the photo belongs."""
    give(photos, 1234, 5678, 0o604)
    container = run(
        *("--user=0:0", "--cap-add=chown,dac_override,fowner", "--umask=0077"),
        f"--volume={photos}:/photos",
        f"--volume={volume}:/data",
    ).start()
    describe_all(container, "whose")
    for name in ("a.jpg", *SIDECARS):
        assert access(photos / name) == (1234, 5678, 0o604), name


def test_a_group_is_enough_to_write(run, photos, volume):
    """Another user of the photos' group may describe them; new files keep group and mode."""
    give(photos, 1234, 5678, 0o664)
    photos.chmod(0o775)
    container = run(
        *("--user=1000:1000", "--group-add=5678", "--umask=0077"),
        f"--volume={photos}:/photos",
        f"--volume={volume}:/data",
    ).start()
    describe_all(container, "ours")
    for name in ("a.jpg", *SIDECARS):
        assert access(photos / name) == (1000, 5678, 0o664), name


def test_read_only_photos_are_said_to_be_so(run, photos, volume):
    """Mounted read-only: told at start and in ``writable``; PATCH answers 403 with advice."""
    give(photos, 1000, 1000)
    container = run(f"--volume={photos}:/photos:ro", f"--volume={volume}:/data").start()
    assert "PHOTO_STORAGE_PATH: is mounted read-only" in container.logs()
    assert [photo["writable"] for photo in container.photos().values()] == [False] * 3
    for key in ("a.jpg", "c.gif"):
        answer = container.describe(key, "no")
        assert answer.status == 403
        assert "check its permissions and mount options" in answer.json["detail"]
    assert {path.name for path in photos.iterdir()} == {"a.jpg", "c.gif", "p.avif"}


def test_photos_of_somebody_else_are_said_to_be_so(run, photos, volume):
    """Readable but not writable: told at start with both users; PATCH answers 403."""
    give(photos, 1234, 5678, 0o644)
    container = run(f"--volume={photos}:/photos", f"--volume={volume}:/data").start()
    assert "belongs to user 1234 and group 5678 with mode 0755" in container.logs()
    assert container.describe("a.jpg", "no").status == 403
    assert access(photos / "a.jpg") == (1234, 5678, 0o644)


def test_a_full_disk_harms_nothing(run, photos, small_disk, volume):
    """With no space left PATCH answers 507 and leaves what was there; with space it works."""
    for path in photos.iterdir():
        shutil.copy(path, small_disk)
    ballast = small_disk / ".ballast"
    ballast.write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096))
    give(small_disk, 1000, 1000)
    before = (small_disk / "a.jpg").read_bytes()
    container = run(f"--volume={small_disk}:/photos", f"--volume={volume}:/data").start()
    for key in ("a.jpg", "c.gif"):
        assert container.describe(key, "no room").status == 507
    assert (small_disk / "a.jpg").read_bytes() == before
    ballast.unlink()
    assert container.describe("a.jpg", "room").status == 200


def last_line(container) -> str:
    """The only line of a server that did not start."""
    (line,) = container.logs().splitlines()
    return line


@pytest.mark.parametrize(
    ("options", "environment", "code", "told"),
    [
        ([], {"TAGLINE_PROT": "1"}, 2, "TAGLINE_PROT: is no setting of Tagline"),
        ([], {"PHOTO_STORAGE_PATH": "/nowhere"}, 3, "'/nowhere' does not exist"),
        ([], {"BACKEND_PASSWORD_FILE": "/nowhere"}, 2, "BACKEND_PASSWORD is set as well"),
        ([], {"TAGLINE_HOST": "192.0.2.1"}, 2, "give an address of this machine"),
        (["--user=7:7"], {}, 4, "must not be read: it belongs to user 1000 and group 1000"),
        (["--tmpfs=/d:mode=0755"], {"DATABASE_URL": "tinydb:////d"}, 4, "'/d' must not be written"),
        (
            [],
            {"JWT_SECRET_FILE": "/etc/shadow"},
            4,
            "the file must not be read: it belongs to user 0",
        ),
    ],
)
def test_what_prevents_a_start_is_one_line(run, photos, options, environment, code, told):
    """A typo, a missing directory, a wrong owner: one line, and the exit code of its kind."""
    give(photos, 1000, 1000)
    photos.chmod(0o700)
    container = run(f"--volume={photos}:/photos", *options, **environment).run()
    assert container.wait() == code
    assert told in last_line(container)


def test_a_second_server_is_refused(run, photos, volume):
    """A taken port and an index in use are one line each, and an exit code of their own."""
    give(photos, 1000, 1000)
    first = run(f"--volume={photos}:/photos", f"--volume={volume}:/data").start()
    taken = run(f"--volume={photos}:/photos", TAGLINE_PORT=str(first.port)).run()
    assert (taken.wait(), "is in use; stop the other" in last_line(taken)) == (5, True)
    second = run(f"--volume={photos}:/photos", f"--volume={volume}:/data").run()
    assert (second.wait(), "photos.jsonl is in use by" in last_line(second)) == (6, True)
    assert first.describe("a.jpg", "still here").status == 200
