"""The index follows a real directory, whatever the file system tells or keeps to itself."""

import asyncio
import os
import shutil
import subprocess
import threading

import pytest

from tests.sync.living import Living


async def test_a_new_photo_shows_by_its_event(living: Living) -> None:
    """A photo that appears is in the index before everything is looked at again."""
    await living.start()
    before = living.reconciler.last_full
    living.write("a.jpg", b"pixels")
    await living.until(lambda: living.photos() == ["a.jpg"])
    assert living.reconciler.last_full == before


async def test_changes_of_a_photo_and_its_sidecars_show(living: Living) -> None:
    """Edits, sidecars that come and go, and deletions reach the index."""
    living.write("a.jpg", b"pixels")
    await living.start()
    for change in (
        lambda: living.write("a.jpg", b"pixels|text"),
        lambda: living.write("a.jpg.xmp", b"sidecar"),
        lambda: living.write("a.xmp", b"stem"),
        lambda: living.write("a.png", b"shares the stem"),
        (living.root / "a.jpg.xmp").unlink,
        (living.root / "a.png").unlink,
        (living.root / "a.jpg").unlink,
    ):
        change()
        await living.until_equal()


async def test_directories_made_moved_and_removed_are_followed(living: Living) -> None:
    """Whole trees that are made at once, moved in, renamed, moved out or deleted are followed."""
    outside = living.root.parent / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep/o.jpg").write_bytes(b"outside")
    living.write("old/1.jpg", b"one")
    await living.start()
    for number in range(30):
        living.write(f"new/{number % 5}/deeper/{number}.jpg", b"pixels %d" % number)
    await living.until_equal()
    outside.rename(living.root / "inside")
    await living.until_equal()
    ids = {row.photo.id for row in living.rows().values()}
    (living.root / "new").rename(living.root / "newer")
    await living.until_equal()
    assert {row.photo.id for row in living.rows().values()} == ids
    (living.root / "newer/0").rename(outside)
    await living.until_equal()
    shutil.rmtree(living.root / "inside")
    await living.until_equal()
    (living.root / "old/1.jpg").rename(living.root / "moved")
    (living.root / "old").rmdir()
    (living.root / "moved").rename(living.root / "old")
    await living.until_equal()


async def test_names_that_swap_keep_their_ids(living: Living) -> None:
    """Ids follow the content when two photos in different directories take each other's name."""
    living.write("a/1.jpg", b"one")
    living.write("b/1.jpg", b"other")
    await living.start()
    before = living.ids()
    (living.root / "a/1.jpg").rename(living.root / "swap")
    (living.root / "b/1.jpg").rename(living.root / "a/1.jpg")
    (living.root / "swap").rename(living.root / "b/1.jpg")
    await living.until_equal()
    assert living.ids() == {"a/1.jpg": before["b/1.jpg"], "b/1.jpg": before["a/1.jpg"]}


async def test_a_storm_of_files_is_seen_whole(living: Living) -> None:
    """After 2,000 files in new nested directories none is missing."""
    await living.start()
    await asyncio.to_thread(_storm, living, 2_000)
    await living.until(lambda: len(living.index) == 2_000)
    await living.until_equal()


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_great_storm_of_files_is_seen_whole(living: Living) -> None:
    """After 20,000 files, more events than the kernel queues, none is missing."""
    await living.start()
    await asyncio.to_thread(_storm, living, 20_000)
    await living.until(lambda: len(living.index) == 20_000, seconds=120)
    await living.until_equal()


def _storm(living: Living, number: int) -> None:
    for count in range(number):
        living.write(f"{count % 7}/{count % 49}/{count % 343}/{count}.jpg", b"pixels %d" % count)


async def test_a_name_that_is_not_utf8_is_followed_and_told(living: Living) -> None:
    """A name that is not UTF-8 ends watchfiles, but neither the photo nor later ones are missed."""
    await living.start()
    (living.root / os.fsdecode(b"\xff.jpg")).write_bytes(b"odd")
    await living.until(lambda: living.photos() == ["\\xff.jpg"])
    await living.until(lambda: living.watcher.status().degraded is not None)
    assert "UTF-8" in str(living.watcher.status().degraded)
    living.write("later.jpg", b"later")
    await living.until(lambda: living.photos() == ["\\xff.jpg", "later.jpg"])


async def test_after_many_deaths_looking_replaces_events(living: Living) -> None:
    """Where events end again and again, the directory is polled, and the reason is told."""
    await living.start(poll_seconds=0.02)
    for number in range(6):
        (living.root / os.fsdecode(b"\xff%d.jpg" % number)).write_bytes(b"odd %d" % number)
        await living.until(lambda number=number: len(living.index) == number + 1)
    await living.until(lambda: living.watcher.status().mode == "poll")
    assert "UTF-8" in str(living.watcher.status().degraded)
    living.write("later.jpg", b"later")
    await living.until(lambda: "later.jpg" in living.photos())


async def test_events_are_tried_again_after_a_while(living: Living) -> None:
    """Polling in place of events is not for ever, and a quiet time clears the complaint."""
    await living.start(poll_seconds=0.01, restarts=1, patience_seconds=0.2, doubt_seconds=0.1)
    (living.root / os.fsdecode(b"\xff.jpg")).write_bytes(b"odd")
    await living.until(lambda: living.watcher.status().mode == "poll")
    await living.until(lambda: living.watcher.status().mode == "notify")
    await living.until(lambda: living.watcher.status().degraded is None)


async def test_a_root_that_is_gone_keeps_the_index_and_comes_back(living: Living) -> None:
    """While the photo directory is away nothing is removed; when it is back, all goes on."""
    living.write("a.jpg", b"pixels")
    await living.start()
    living.root.rename(living.root.with_name("away"))
    await living.until(lambda: living.watcher.status().state == "unavailable")
    assert living.photos() == ["a.jpg"]
    assert "not available" in str(living.watcher.status().degraded)
    living.root.with_name("away").rename(living.root)
    await living.until(lambda: living.watcher.status().state == "watching")
    living.write("b.jpg", b"more")
    await living.until(lambda: living.photos() == ["a.jpg", "b.jpg"])


async def test_an_emptied_root_keeps_the_index(living: Living) -> None:
    """A library that is suddenly empty counts as a disk that is not mounted, until it is back."""
    for number in range(12):
        living.write(f"all/{number}.jpg", b"pixels %d" % number)
    await living.start()
    away = living.root.with_name("away")
    (living.root / "all").rename(away)
    await living.until(lambda: living.watcher.status().state == "unavailable")
    assert len(living.index) == 12
    away.rename(living.root / "all")
    await living.until(lambda: living.watcher.status().state == "watching")
    await living.until_equal()


async def test_polling_sees_what_no_event_tells(living: Living) -> None:
    """In poll mode changes show after the interval, without events."""
    await living.start(mode="poll", poll_seconds=0.02)
    living.write("a/a.jpg", b"pixels")
    await living.until_equal()
    assert living.photos() == ["a/a.jpg"]
    assert living.watcher.status().mode == "poll"


async def test_auto_polls_on_network_shares(living: Living) -> None:
    """Mode ``auto`` polls where the mount is a network share, and says so."""
    mounts = f"1 0 0:1 / {living.root} rw - nfs4 nas:/photos rw\n"
    await living.start(mode="auto", mountinfo=lambda: mounts)
    assert living.watcher.status().mode == "poll"
    assert "nfs4" in str(living.watcher.status().degraded)


async def test_off_reconciles_once(living: Living) -> None:
    """Without watching the directory is still read once, and on demand."""
    living.write("a.jpg", b"pixels")
    await living.start(mode="off")
    assert living.photos() == ["a.jpg"]
    living.write("b.jpg", b"more")
    await living.reconciler.reconcile()
    assert living.photos() == ["a.jpg", "b.jpg"]
    assert living.watcher.status().delay_seconds is None


async def test_what_events_do_not_tell_is_found_and_told(living: Living) -> None:
    """A periodic reconcile that finds an old change says so, until one finds nothing again."""
    living.write("real/1.jpg", b"pixels")
    await living.start(reconcile_seconds=0.2, doubt_seconds=0.2)
    (living.root / "link").symlink_to("real")
    await living.until_equal()
    await living.until(lambda: living.reconciler.settling == 0)
    living.clock_offset = 100.0
    living.write("real/2.jpg", b"more")
    await living.until_equal()
    await living.until(lambda: "not told" in str(living.watcher.status().degraded))
    await living.until(lambda: living.watcher.status().degraded is None)


@pytest.fixture
def abyss(living: Living):
    """A descriptor of a directory whose path the system would not take; it goes with rm(1)."""
    here = os.open(living.root, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    yield here
    os.close(here)
    subprocess.run(["rm", "-rf", str(living.root / ("d" * 250))], check=True)


def put_at(directory: int, name: str, data: bytes) -> None:
    """Write a file into a directory that is known by descriptor alone."""
    with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=directory), "wb") as file:
        file.write(data)


async def test_what_lies_too_deep_for_events_is_looked_at_and_told(
    living: Living, abyss: int
) -> None:
    """Beyond PATH_MAX changes show by looking, health says why, and elsewhere events go on."""
    put_at(abyss, "1.jpg", b"deep")
    await living.start(poll_seconds=0.5)
    assert "4,095 bytes" in str(living.watcher.status().degraded)
    assert living.watcher.status().mode == "notify"
    assert 0.5 <= (living.watcher.status().delay_seconds or 0) < 60
    living.clock_offset = 100.0  # what is found so late would else be a sign of lost events
    put_at(abyss, "2.jpg", b"deeper")
    await living.until(lambda: len(living.index) == 2)
    assert "4,095 bytes" in str(living.watcher.status().degraded)
    for name in ("1.jpg", "2.jpg"):
        os.unlink(name, dir_fd=abyss)
    await living.until(lambda: living.watcher.status().degraded is None)
    assert living.photos() == []
    assert living.watcher.status().delay_seconds == 1.0


async def test_a_directory_that_gets_too_deep_is_told(living: Living, abyss: int) -> None:
    """Where files come below a path that is too long, it is told as soon as they are met."""
    living.write("a.jpg", b"shallow")
    await living.start(poll_seconds=0.1, reconcile_seconds=0.3, doubt_seconds=0.3)
    assert living.watcher.status().degraded is None
    put_at(abyss, "1.jpg", b"deep")
    await living.until(lambda: "4,095 bytes" in str(living.watcher.status().degraded))
    assert len(living.index) == 2


async def test_nothing_is_left_behind(living: Living) -> None:
    """After ``stop`` and ``close`` no thread and no task of the watcher is left."""
    await living.start()
    living.write("a.jpg", b"pixels")
    await living.until_equal()
    await living.watcher.stop()
    await living.reconciler.close()
    assert not [t.name for t in threading.enumerate() if t.name.startswith("tagline")]
    assert not [t for t in asyncio.all_tasks() if t.get_name().startswith("tagline")]
    assert living.watcher.status().state == "stopped"


async def test_stopping_at_any_moment_ends(living: Living) -> None:
    """A watcher that is stopped while it starts leaves nothing either."""
    for pause_seconds in (0.0, 0.001, 0.02):
        await living.watcher.start()
        await asyncio.sleep(pause_seconds)
        await living.watcher.stop()
    assert not [t.name for t in threading.enumerate() if t.name == "tagline-watch"]


async def test_own_writes_are_not_read_again(living: Living) -> None:
    """The echo of a write that was indexed already compares equal, and nothing is read for it."""
    path = living.write("a.jpg", b"pixels")
    await living.start()
    living.storage.replace("a.jpg", b"pixels|new", living.storage.stat("a.jpg").state)
    await living.reconciler.refresh(["a.jpg"])
    await living.until(lambda: living.reconciler.settling == 0)
    reads = len(living.reads)
    living.write("b.jpg", b"later")
    await living.until(lambda: "b.jpg" in living.photos())
    assert "a.jpg" not in living.reads[reads:]
    assert path.read_bytes() == b"pixels|new"


async def test_an_unexpected_error_ends_no_watching(living: Living, caplog) -> None:
    """What nobody foresaw is logged and told, and changes are followed again soon after."""
    await living.start()
    reconcile, failed = living.reconciler.reconcile, threading.Event()

    async def fail(*_arguments, **_options):
        failed.set()
        raise RuntimeError("nobody thought of this")

    living.reconciler.reconcile = fail
    living.write("a.jpg", b"pixels")
    await living.until(failed.is_set)
    await living.until(lambda: living.watcher.status().state == "failing")
    assert "unexpectedly" in str(living.watcher.status().degraded)
    assert "nobody thought of this" in caplog.text
    living.reconciler.reconcile = reconcile
    await living.until(lambda: living.photos() == ["a.jpg"])
    await living.until(lambda: living.watcher.status().state == "watching")
    assert living.watcher.status().degraded is None


async def test_beginning_again_leaves_nothing_of_what_failed(living: Living) -> None:
    """However often all of it fails in a way nobody foresaw, one thread at most fetches events."""
    reconcile, failures = living.reconciler.reconcile, []

    async def fail(*_arguments, **_options):
        failures.append(None)
        raise RuntimeError("nobody thought of this")

    await living.start(check_seconds=0.01)
    living.reconciler.reconcile = fail
    living.write("a.jpg", b"pixels")
    await living.until(lambda: len(failures) >= 4)
    assert sum(thread.name == "tagline-watch" for thread in threading.enumerate()) <= 1
    living.reconciler.reconcile = reconcile
    await living.until(lambda: living.photos() == ["a.jpg"])
