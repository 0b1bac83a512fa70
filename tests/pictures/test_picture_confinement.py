"""What a worker process that an evil photo has taken over can still do: as good as nothing."""

import ctypes
import json
import subprocess
import sys

import pytest

VERSION = ctypes.CDLL(None).syscall(444, None, 0, 1)
"""That of the kernel's Landlock; below 1 where there is none."""

CAPTIVE = """
import json, os, socket, sys
from tagline.pictures.rendering import prepare
from tagline.pictures.confinement import confine

prepare()
already = os.open(sys.argv[1], os.O_RDONLY)
confine(1 << 30)
done = {}

def attempt(name, what):
    try:
        what()
        done[name] = "done"
    except OSError as error:
        done[name] = type(error).__name__

parent = os.getppid()
listener = socket.socket()
attempt("secret", lambda: os.open(sys.argv[1], os.O_RDONLY))
attempt("listing", lambda: os.listdir(os.path.dirname(sys.argv[1])))
attempt("new file", lambda: os.open(sys.argv[1] + ".new", os.O_CREAT | os.O_WRONLY))
attempt("deletion", lambda: os.unlink(sys.argv[1]))
attempt("renaming", lambda: os.rename(sys.argv[1], sys.argv[1] + ".old"))
attempt("environment", lambda: os.open(f"/proc/{parent}/environ", os.O_RDONLY))
attempt("memory", lambda: os.open(f"/proc/{parent}/mem", os.O_RDONLY))
attempt("program", lambda: os.execv("/bin/true", ["true"]))
attempt("listening", lambda: listener.bind(("127.0.0.1", 0)))
attempt("connecting", lambda: socket.create_connection(("127.0.0.1", 9), 1))
attempt("signal", lambda: os.kill(parent, 0))
attempt("what was open", lambda: os.pread(already, 1, 0))
from PIL import FontFile
attempt("a decoder's own file", lambda: open(FontFile.__file__).close())
print(json.dumps(done))
"""

SINCE = {
    "secret": 1,
    "listing": 1,
    "new file": 1,
    "deletion": 1,
    "renaming": 1,
    "environment": 1,
    "memory": 1,
    "program": 1,
    "listening": 4,
    "connecting": 4,
    "signal": 6,
}


@pytest.mark.skipif(VERSION < 1, reason="this kernel has no Landlock, or it is forbidden here")
def test_a_taken_worker_reaches_nothing(tmp_path):
    """It opens, makes, lists and starts nothing, connects to nobody, and cannot watch the server.

    Run by root as well: no right of the user's counts for it.
    """
    secret = tmp_path / "jwt-secret"
    secret.write_text("s3cret")
    run = [sys.executable, "-c", CAPTIVE, str(secret)]
    told = subprocess.run(run, capture_output=True, check=True, text=True).stdout
    done = json.loads(told)
    refused = {name for name, since in SINCE.items() if since <= VERSION}
    assert {done[name] for name in refused} == {"PermissionError"}, done
    assert (done["what was open"], done["a decoder's own file"]) == ("done", "done")
    assert [path.name for path in tmp_path.iterdir()] == ["jwt-secret"]
    assert secret.read_text() == "s3cret"
