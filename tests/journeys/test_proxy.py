"""Behind a real nginx, below a path; and TLS by certificate files made by openssl."""

import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from tests.machine import program
from tests.processes import free_port

PASSWORD = "correct horse battery staple"
NGINX = """\
daemon off; master_process off; worker_processes 1;
pid {place}/pid; error_log {place}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
    server {{
        listen 127.0.0.1:{port};
        location {path} {{
            proxy_pass http://127.0.0.1:{behind}{rest};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Prefix "{prefix}";
            proxy_set_header Forwarded "";
        }}
    }}
}}
"""


async def until_open(port: int, process: asyncio.subprocess.Process) -> None:
    """Wait until something listens on the port."""
    async with asyncio.timeout(20):
        while True:
            assert process.returncode is None
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def until_logged(log: Path, text: str) -> None:
    """Wait until a line of another process says this."""
    async with asyncio.timeout(20):
        while text not in log.read_text():  # noqa: ASYNC110, ASYNC240 - it sets no event here
            await asyncio.sleep(0.02)


@pytest.fixture
async def start(tmp_path):
    """Start processes; all are ended."""
    processes = []

    async def start_process(port: int, *command: str, **environment: str):
        log = tmp_path / f"{port}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdout=output,
                stderr=output,
                env={"PATH": os.environ["PATH"]} | environment,
            )
        processes.append(process)
        await until_open(port, process)
        return process, log

    yield start_process
    for process in processes:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.fixture
def settings(tmp_path) -> dict[str, str]:
    """Settings over one photo."""
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a.jpg")
    return {
        "PHOTO_STORAGE_PATH": str(tmp_path / "photos"),
        "DATABASE_URL": f"tinydb:///{tmp_path}/data",
        "BACKEND_PASSWORD": PASSWORD,
        "TAGLINE_PORT": str(free_port()),
    }


SERVE = (sys.executable, "-m", "tagline", "serve")


def tagline(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tagline", *arguments],
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


@pytest.mark.parametrize("strips", [False, True], ids=["keeps the path", "takes the path away"])
async def test_behind_nginx_below_a_path(settings, start, tmp_path, strips):
    """Links, cookies and addresses are the browser's; a forged address is not believed."""
    nginx = program("nginx")
    base = {} if strips else {"TAGLINE_BASE_PATH": "/tagline"}
    base |= {"TAGLINE_TRUSTED_PROXIES": "127.0.0.1", "TAGLINE_LOG_FORMAT": "json"}
    behind, port = settings["TAGLINE_PORT"], free_port()
    server, log = await start(int(behind), *SERVE, **settings, **base)
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        NGINX.format(
            place=tmp_path,
            port=port,
            behind=behind,
            path="/tagline/",
            rest="/" if strips else "",
            prefix="/tagline" if strips else "",
        )
    )
    await start(port, nginx, "-p", str(tmp_path), "-c", str(configuration))
    url = f"http://127.0.0.1:{port}/tagline"
    page = {"Accept-Session": "cookie", "Origin": f"https://127.0.0.1:{port}"}
    forged = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=7.7.7.7"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        document = await (await session.get(f"{url}/openapi.json")).json()
        assert document["servers"] == [{"url": "/tagline"}]
        answer = await session.post(
            f"{url}/login", json={"password": PASSWORD}, headers={**page, **forged}
        )
        lines = answer.headers.getall("Set-Cookie")
        assert lines[0].startswith("__Secure-tagline_access=")
        assert "; Path=/tagline; " in lines[0]
        assert "; Secure" in lines[0]
        assert "; Path=/tagline/refresh; " in lines[1]
        page["Cookie"] = "; ".join(line.partition(";")[0] for line in lines)
        assert (await session.get(f"{url}/photos", headers=page)).status == 200
        answer = await session.post(f"{url}/rescan", headers={**page, "Prefer": "respond-async"})
        assert answer.headers["Location"] == "/tagline/rescan"
        # The proxy is trusted and its client 127.0.0.1 too, so what that one told is read on.
        answer = await session.get(f"{url}/photos", headers={"X-Forwarded-For": "203.0.113.9"})
        assert answer.status == 401
    server.send_signal(signal.SIGTERM)
    assert await server.wait() == 0
    events = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    addresses = {event["address"] for event in events if "address" in event}
    assert addresses == {"127.0.0.1", "6.6.6.6", "203.0.113.9"}
    assert {type(event["bytes"]) for event in events if "status" in event} == {int}


def certificate(place: Path, name: str) -> tuple[Path, Path]:
    """A certificate and its key."""
    openssl = program("openssl")
    files = place / f"{name}.crt", place / f"{name}.key"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
         "-out", str(files[0]), "-keyout", str(files[1])],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


async def name_served(port: int, trusted: Path) -> str:
    """The common name of the certificate that is served, by TLS 1.2 or newer."""
    context = ssl.create_default_context(cafile=str(trusted))
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    subject = dict(pair for ((pair),) in writer.get_extra_info("peercert")["subject"])
    assert writer.get_extra_info("ssl_object").version() in {"TLSv1.2", "TLSv1.3"}
    writer.close()
    return subject["commonName"]


async def test_tls_by_certificate_files(settings, start, tmp_path):
    """HTTPS alone, secure cookies; health and doctor follow; SIGHUP loads a renewed certificate."""
    first, second = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    files = tmp_path / "live.crt", tmp_path / "live.key"
    for source, target in zip(first, files, strict=True):
        shutil.copy(source, target)
    tls = {"TAGLINE_TLS_CERTIFICATE": str(files[0]), "TAGLINE_TLS_KEY": str(files[1])}
    settings |= {**tls, "TAGLINE_BASE_PATH": "/tagline"}
    port = int(settings["TAGLINE_PORT"])
    server, log = await start(port, *SERVE, **settings)
    url = f"https://127.0.0.1:{port}/tagline"
    trust = ssl.create_default_context(cafile=str(files[0]))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
        headers = {"Accept-Session": "cookie"}
        answer = await session.post(f"{url}/login", json={"password": PASSWORD}, headers=headers)
        assert answer.headers["Set-Cookie"].startswith("__Secure-tagline_access=")
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"http://127.0.0.1:{port}/tagline/health")
    done = await asyncio.to_thread(tagline, "health", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    done = await asyncio.to_thread(tagline, "doctor", **settings)
    assert f"ok      port: Tagline 0.1.0 answers at 127.0.0.1 port {port}" in done.stdout
    other = settings | {"TAGLINE_TLS_CERTIFICATE": str(second[0])}
    done = await asyncio.to_thread(tagline, "health", **other)
    assert done.returncode == 1
    assert "its certificate is not the one in the file" in done.stderr
    done = await asyncio.to_thread(tagline, "doctor", **other)
    assert "over TLS there is no answer" in done.stdout

    assert await name_served(port, first[0]) == "first"
    files[0].write_bytes(second[0].read_bytes())  # the key is still the first one's
    server.send_signal(signal.SIGHUP)
    await until_logged(log, "the old certificate stays in use")
    assert await name_served(port, first[0]) == "first"
    files[1].unlink()
    server.send_signal(signal.SIGHUP)
    await until_logged(log, "the file cannot be read by this user: No such file or directory")
    assert await name_served(port, first[0]) == "first"
    files[1].write_bytes(second[1].read_bytes())
    server.send_signal(signal.SIGHUP)
    await until_logged(log, "the certificate was loaded again")
    assert await name_served(port, second[0]) == "second"
    assert f"at https://127.0.0.1:{port}/tagline" in log.read_text()
    assert "Traceback" not in log.read_text()


async def test_tls_takes_no_old_cipher(settings, start, tmp_path):
    """Of TLS 1.2 only authenticated ciphers with forward secrecy, in the server's order."""
    files = certificate(tmp_path, "first")
    settings |= dict(
        zip(("TAGLINE_TLS_CERTIFICATE", "TAGLINE_TLS_KEY"), map(str, files), strict=True)
    )
    port = int(settings["TAGLINE_PORT"])
    await start(port, *SERVE, **settings)

    async def cipher(offered, newest=ssl.TLSVersion.TLSv1_2):
        context = ssl.create_default_context(cafile=str(files[0]))
        context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest
        context.set_ciphers(offered)
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        name = writer.get_extra_info("cipher")[0]
        writer.close()
        return name

    for offered in ("ECDHE+AES:!AESGCM", "DHE", "kRSA"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await cipher(offered)
    with (
        pytest.warns(DeprecationWarning, match="TLS"),
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        await cipher("ALL:@SECLEVEL=0", ssl.TLSVersion.TLSv1_1)
    assert "AES256-GCM" in await cipher("ECDHE+CHACHA20:ECDHE+AESGCM")


def test_certificate_files_that_cannot_be_used_are_one_line(settings, tmp_path):
    """Missing, unreadable, swapped, mismatching, encrypted: each is told and ends the start."""
    certificate_file, key = certificate(tmp_path, "first")
    _, other_key = certificate(tmp_path, "other")
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-passout", "pass:x", "-in", key, "-out", locked],
        check=True,
    )
    rubbish = tmp_path / "rubbish.crt"
    rubbish.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    for files, told in (
        ((certificate_file, None), "TAGLINE_TLS_KEY: is not set, and TAGLINE_TLS_CERTIFICATE is"),
        ((None, key), "TAGLINE_TLS_CERTIFICATE: is not set, and TAGLINE_TLS_KEY is"),
        ((tmp_path / "none", key), "' does not exist (from the environment)"),
        ((certificate_file, other_key), "TAGLINE_TLS_KEY: is not the key of the certificate"),
        ((key, certificate_file), "TAGLINE_TLS_CERTIFICATE: the file holds no certificate"),
        ((certificate_file, locked), "TAGLINE_TLS_KEY: the key has a passphrase"),
        ((rubbish, key), "TAGLINE_TLS_CERTIFICATE: certificate and key cannot be used"),
    ):
        names = ("TAGLINE_TLS_CERTIFICATE", "TAGLINE_TLS_KEY")
        tls = {name: str(file) for name, file in zip(names, files, strict=True) if file}
        done = tagline("serve", **settings, **tls)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert told in done.stderr
        assert done.stderr.count("\n") == 1
    done = tagline("doctor", **settings, **tls)
    assert (done.returncode, done.stderr) == (1, "")
    assert f"FAULT   tls: {told}" in done.stdout
