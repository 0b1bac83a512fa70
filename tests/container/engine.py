"""A container of the image, and a client of the server in it."""

import http.client
import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from tests.processes import free_port

PASSWORD = "correct horse battery staple"
DEADLINE_SECONDS = 30.0
# What works without systemd and in containers themselves, too.
_PODMAN = ("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs")
_HARDENED = (
    *("--read-only", "--cap-drop", "all"),
    *("--security-opt", "no-new-privileges"),
    *("--network", "host", "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"),
)


def podman(*arguments: str, check: bool = True, text: str | None = None) -> str:
    """Run podman; give what it prints, both streams."""
    done = subprocess.run(
        [*_PODMAN, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
        input=text,
    )
    assert not check or done.returncode == 0, done.stdout
    return done.stdout


class Answer(NamedTuple):
    """What came back for a request."""

    status: int
    json: Any


class Container:
    """One container with a read-only root file system and no capability."""

    def __init__(self, image: str, *options: str, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.image, self.options = image, options
        self.environment = {"TAGLINE_PORT": str(self.port), **environment}
        self.token: str | None = None
        self.trusted: ssl.SSLContext | None = None
        self.id = ""

    def trust(self, certificate: Path) -> None:
        """Ask by https from now on, and only whoever has this certificate."""
        self.trusted = ssl.create_default_context(cafile=certificate)

    def run(self) -> "Container":
        """Start it, and no more."""
        given = [f"--env={name}={value}" for name, value in self.environment.items()]
        output = podman("run", "--detach", *_HARDENED, *given, *self.options, self.image)
        self.id = output.splitlines()[-1]
        return self

    def start(self) -> "Container":
        """Start it, wait until it is ready, and log in."""
        self.run().wait_until_ready()
        return self.login()

    def wait_until_ready(self) -> None:
        """Wait until the server says that it is ready."""
        end = time.monotonic() + DEADLINE_SECONDS
        while self.ask("GET", "/health").status != 200:
            assert self.state("Running") == "true", self.logs()
            assert time.monotonic() < end, self.logs()
            time.sleep(0.1)

    def login(self) -> "Container":
        """Log in; later requests carry the access token."""
        answer = self.ask("POST", "/login", {"password": PASSWORD})
        assert answer.status == 200, answer
        self.tokens = answer.json
        self.token = answer.json["access_token"]
        return self

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Send a request; status 0 when nothing answers."""
        try:
            with self._open(method, path, body) as answer:
                return Answer(answer.status, json.load(answer))
        except urllib.error.HTTPError as error:
            return Answer(error.code, json.load(error))
        except OSError:
            return Answer(0, None)

    def status(self, path: str) -> int:
        """The status of a GET whose body is not JSON."""
        with self._open("GET", path) as answer:
            return answer.status

    def _open(self, method: str, path: str, body: object = None) -> http.client.HTTPResponse:
        base = self.environment.get("TAGLINE_BASE_PATH", "")
        request = urllib.request.Request(
            f"http{'s' if self.trusted else ''}://127.0.0.1:{self.port}{base}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        return urllib.request.urlopen(request, timeout=10, context=self.trusted)

    def photos(self) -> dict[str, dict[str, Any]]:
        """Every photo by its object key."""
        return {photo["object_key"]: photo for photo in self.ask("GET", "/photos").json["items"]}

    def describe(self, key: str, text: str) -> Answer:
        """PATCH the description of a photo."""
        photo_id = self.photos()[key]["id"]
        return self.ask("PATCH", f"/photos/{photo_id}/metadata", {"description": text})

    def exec(self, *command: str) -> tuple[int, str]:
        """Run a command inside; give its exit code and what it prints."""
        done = subprocess.run(
            [*_PODMAN, "exec", self.id, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode, done.stdout

    def state(self, name: str) -> str:
        """One value of the container's state."""
        return podman("inspect", "--format", f"{{{{.State.{name}}}}}", self.id).split()[-1]

    def logs(self) -> str:
        """Everything that it printed."""
        return podman("logs", self.id)

    def wait(self) -> int:
        """Wait until it ends by itself; give its exit code."""
        return int(podman("wait", self.id).split()[-1])

    def stop(self) -> tuple[int, float]:
        """End it as an operator does; give its exit code and the seconds that it took."""
        begun = time.monotonic()
        podman("stop", "--time", "15", self.id)
        return int(self.state("ExitCode")), time.monotonic() - begun

    def again(self) -> None:
        """Start the stopped container again, and wait until it is ready."""
        podman("start", self.id)
        self.wait_until_ready()

    def remove(self) -> None:
        """Let nothing of it stay."""
        if self.id:
            podman("rm", "--force", "--volumes", "--time", "0", self.id, check=False)
