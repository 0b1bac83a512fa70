"""``tagline health`` against a real server, against others, and against nobody."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from PIL import Image


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``tagline health`` without any other setting."""
    return subprocess.run(
        [sys.executable, "-m", "tagline", "health", *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_server_says_how_it_is(tmp_path: Path, free_port: int):
    """It is ready with its photos there, and unavailable with exit code 1 without them."""
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (8, 8)).save(photos / "a.gif")
    port = {"TAGLINE_PORT": str(free_port)}
    command = [sys.executable, "-m", "tagline", "serve", str(photos)]
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": "tinydb://", **port}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert b"serves" in server.stdout.readline()
            while (done := run("--ready", **port)).returncode:
                assert "scanning: " in done.stderr
            assert done.stdout == "ready: 1 photos; changes are noticed by notify\n"
            said = json.loads(run("--json", TAGLINE_HOST="0.0.0.0", **port).stdout)
            assert (said["status"], said["index"]["photos"]) == ("ready", 1)
            photos.rename(tmp_path / "elsewhere")
            while not (done := run(**port)).returncode:
                assert "1 photos" in done.stdout
            assert done.stderr.startswith("tagline: unavailable: ")
            assert "The photo directory is not available: it is not there." in done.stderr
        finally:
            server.send_signal(signal.SIGTERM)


@pytest.fixture
def other(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a server that is not Tagline and answers what the test says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(request.param)

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


SCANNING = {
    "status": "scanning",
    "live": True,
    "ready": False,
    "storage": {"available": True, "problem": None},
    "watcher": {"mode": "poll", "degraded": "no \x1b events"},
    "index": {"photos": 5, "recovered": None},
    "scan": {"state": "running", "decoded": 3, "total": None},
}


@pytest.mark.parametrize("other", [json.dumps(SCANNING).encode()], indirect=True)
def test_a_first_scan_is_healthy_but_not_ready(other: int):
    """A first scan gives 0, and 1 to those who ask for ready; the line is safe to print."""
    line = (
        "scanning: 5 photos; a scan has read 3 of unknown; changes are noticed by poll; "
        "no \\x1b events\n"
    )
    done = run("--port", str(other))
    assert (done.returncode, done.stdout, done.stderr) == (0, line, "")
    done = run("--port", str(other), "--ready")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"tagline: {line}")


@pytest.mark.parametrize(
    "other",
    [b"", b"<html>", b"[]", b'{"status": "ready", "live": true}', b"\xff" * 99999],
    indirect=True,
)
def test_another_server_is_told_apart(other: int):
    """Whatever else answers is not Tagline."""
    done = run("--port", str(other))
    assert done.returncode == 1
    assert done.stderr == f"tagline: what answers at 127.0.0.1 port {other} is not Tagline.\n"


def test_what_speaks_no_http_is_told_apart(free_port: int):
    """A service of another protocol is no HTTP server, and nobody is nobody."""
    done = run("--port", str(free_port))
    assert (done.returncode, "Connection refused" in done.stderr) == (1, True)
    with socket.create_server(("127.0.0.1", free_port)) as listening:

        def greet() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"220 ready for mail\r\n\r\n")
                connection.recv(4096)

        thread = threading.Thread(target=greet)
        thread.start()
        done = run("--port", str(free_port))
        thread.join()
    assert done.returncode == 1
    assert "speaks no HTTP" in done.stderr


@pytest.mark.parametrize("port", ["0", "x", "70000"])
def test_a_port_that_cannot_be_asked_is_wrong_usage(port: str):
    """Zero, words and too large numbers are wrong usage."""
    done = run("--port", port)
    assert done.returncode == 2
    assert done.stderr.startswith("tagline: TAGLINE_PORT: ")
