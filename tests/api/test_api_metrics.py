"""Probes and figures for monitors."""

import math
import re

import pytest
from tests_api_memory_library import PASSWORD

from tagline.api import ApiOptions, create_app
from tagline.api.exposition import Family, Histogram, Sample, expose
from tests.api.real_library import picture

LINE = re.compile(
    r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>(?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})?'
    r" (?P<value>\S+)"
)
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\n"])*)"')


def parsed(text):
    """Samples by name and labels; checks the grammar of the format line by line."""
    assert text.endswith("\n")
    samples, kinds, helped, current = {}, {}, set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, current, says = line.split(" ", 3)
            assert says.strip()
            assert current not in helped, "a family must stand together"
            helped.add(current)
        elif line.startswith("# TYPE "):
            _, _, name, kinds[current] = line.split(" ")
            assert name == current
        else:
            match = LINE.fullmatch(line)
            assert match, line
            assert re.sub("_(bucket|sum|count)$", "", match["name"]) == current or (
                match["name"] == current
            ), line
            place = match["name"], frozenset(LABEL.findall(match["labels"] or ""))
            assert place not in samples, line
            samples[place] = float(match["value"])
    assert set(kinds) == helped
    return samples


def value(samples, name, **labels):
    """One sample; 0 where there is none."""
    return samples.get((name, frozenset(labels.items())), 0)


async def figures(client):
    """All samples."""
    response = await client.get("/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parsed(await response.text())


async def test_live_and_ready_are_open_and_tiny(anonymous, library):
    """The process lives whatever the photos do; ready follows the first scan."""
    for ready in (True, False):
        library.ready = ready
        live = await anonymous.get("/health/live")
        assert (live.status, await live.json()) == (200, {"live": True})
        answer = await anonymous.get("/health/ready")
        assert answer.status == (200 if ready else 503)
        assert (await answer.json())["ready"] is ready


async def test_requests_are_counted_by_the_declared_path(client, photo):
    """A label holds the template and the status, and nothing that a client chose."""
    await client.get(f"/photos/{photo.id}")
    await client.head(f"/photos/{photo.id}")
    await client.get("/photos/nobody-s-id")
    await client.get("/secret-path-of-a-client")
    await client.request("PROPFIND", "/photos")
    samples = await figures(client)
    name, route = "tagline_http_requests_total", "/photos/{photo_id}"
    assert value(samples, name, method="GET", route=route, status="200") == 1
    assert value(samples, name, method="HEAD", route=route, status="200") == 1
    assert value(samples, name, method="GET", route=route, status="422") == 1
    assert value(samples, name, method="GET", route="none", status="404") == 1
    assert value(samples, name, method="other", route="none", status="405") == 1
    told = " ".join(f"{key}" for key in samples)
    for secret in (
        photo.id,
        "nobody-s-id",
        "secret-path",
        "PROPFIND",
        "127.0.0.1",
        photo.object_key,
    ):
        assert secret not in told


async def test_the_time_of_requests_is_a_histogram(client):
    """Buckets are cumulative and end in the count."""
    for _ in range(3):
        await client.get("/photos")
    samples = await figures(client)
    name, labels = "tagline_http_request_duration_seconds", {"method": "GET", "route": "/photos"}
    buckets = sorted(
        (float(dict(place)["le"]), count)
        for (found, place), count in samples.items()
        if found == f"{name}_bucket" and {*labels.items()} <= place
    )
    assert [count for _, count in buckets] == sorted(count for _, count in buckets)
    assert buckets[-1] == (math.inf, 3)
    assert value(samples, f"{name}_count", **labels) == 3
    assert value(samples, f"{name}_sum", **labels) > 0


async def test_the_library_s_figures_are_told(client):
    """Scan, watcher, index, edits, logins, pictures and the process."""
    samples = await figures(client)
    assert value(samples, "tagline_scan_errors") == 1
    assert value(samples, "tagline_last_full_reconcile_timestamp_seconds") == 1_714_566_896.5
    assert value(samples, "tagline_watcher_mode", mode="notify") == 1
    assert value(samples, "tagline_watcher_delay_seconds") == 0.1
    assert value(samples, "tagline_index_photos") == 3
    assert value(samples, "tagline_edits_total", outcome="embedded", reason="") == 2
    assert value(samples, "tagline_logins_total", outcome="ok") == 1
    assert value(samples, "tagline_pictures_total", outcome="memory") == 4
    assert ("tagline_logins_total", frozenset({("outcome", "failed")})) in samples
    assert value(samples, "process_open_fds") > 3
    assert value(samples, "process_resident_memory_bytes") > 1_000_000


@pytest.mark.parametrize("who", ["off", "token", "open"])
async def test_who_may_read_the_figures(aiohttp_client, library, who):
    """Nobody, whoever has a token of scope read, or everybody; the document says which."""
    client = await aiohttp_client(create_app(library, ApiOptions(metrics=who)))
    statuses = {"off": 404, "token": 401, "open": 200}
    assert (await client.get("/metrics")).status == statuses[who]
    made = await library.sessions.create_api_token("prometheus", "read", None)
    headers = {"Authorization": f"Bearer {made.token}"}
    answer = await client.get("/metrics", headers=headers)
    assert answer.status == (404 if who == "off" else 200)
    document = await (await client.get("/openapi.json")).json()
    assert ("/metrics" in document["paths"]) == (who != "off")
    if who == "open":
        assert document["paths"]["/metrics"]["get"]["security"] == []


async def test_real_edits_logins_and_pictures_are_counted(make_world):
    """Each by what came of it."""
    world = await make_world({"a.jpg": picture(1), "b.gif": picture(2, "GIF")})
    photos = await world.by_key()
    a, b = photos["a.jpg"], photos["b.gif"]
    await world.edit(a["id"], description="inside")
    await world.edit(a["id"], description="inside")
    await world.edit(b["id"], description="beside")
    stale = "2001-01-01T00:00:00.000000Z"
    await world.edit(a["id"], 409, description="late", last_modified=stale)
    (world.photos / "b.gif").write_bytes(b"no picture")
    await world.ask("POST", "/rescan")
    for _ in range(2):
        assert (await world.client.get(f"/photos/{a['id']}/thumbnail")).status == 200
    await world.ask("POST", "/login", 401, json={"password": "wrong"})
    samples = await figures(world.client)
    edits = {
        dict(labels)["outcome"] + ":" + dict(labels)["reason"]: count
        for (name, labels), count in samples.items()
        if name == "tagline_edits_total"
    }
    assert edits == {
        "embedded:": 1, "unchanged:": 1, "sidecar:format": 1, "refused:photo_modified": 1,
    }  # fmt: skip
    assert value(samples, "tagline_logins_total", outcome="ok") == 1
    assert value(samples, "tagline_logins_total", outcome="failed") == 1
    assert value(samples, "tagline_pictures_total", outcome="made") == 2
    assert value(samples, "tagline_index_bytes") > 100
    assert value(samples, "tagline_scan_listed_photos") == 2


async def test_open_event_streams_are_counted(client):
    """A gauge follows them."""
    async with client.get("/events") as stream:
        await stream.content.readline()
        assert value(await figures(client), "tagline_event_streams_open") == 1
    names = {name for name, labels in await figures(client) if ("route", "/events") in labels}
    assert not any("duration" in name for name in names)


def test_text_is_escaped():
    """Line breaks, quotes and backslashes stay inside their place."""
    family = Family("a", "gauge", "one\ntwo \\", [Sample(1.5, {"x": 'q"\\\n'})])
    assert expose([family]) == b'# HELP a one\\ntwo \\\\\n# TYPE a gauge\na{x="q\\"\\\\\\n"} 1.5\n'
    assert expose([Family("b", "gauge", "nothing", [])]) == b""


def test_a_histogram_counts_bounds_as_inside():
    """A value equal to a bound belongs to its bucket; a larger one only to the last."""
    histogram = Histogram((1.0, 2.0))
    for seconds in (1.0, 1.5, 9.0):
        histogram.observe(seconds)
    assert [sample.value for sample in histogram.samples({})] == [1, 2, 3, 11.5, 3]


async def test_a_password_in_a_request_never_shows(client):
    """Not even where it is sent to the wrong address."""
    await client.get(f"/{PASSWORD}?password={PASSWORD}", headers={"X-Password": PASSWORD})
    assert PASSWORD not in await (await client.get("/metrics")).text()
