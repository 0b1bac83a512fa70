"""``scan``: a whole photo directory, without serving it."""

import asyncio
import sys
from argparse import Namespace
from contextlib import closing

import msgspec
from tqdm import tqdm

from tagline.cli.output import printable, say, say_json
from tagline.config.compose import index_of, reconciler_of, storage_of
from tagline.config.loading import load_settings
from tagline.config.settings import Settings
from tagline.index import TinyPhotoIndex
from tagline.sync import Reconciler, ReconcileResult

_REFRESH_SECONDS = 0.1


def scan(arguments: Namespace) -> int:
    """Bring the index up to date; 1 when a photo could not be read."""
    settings = settings_of(arguments)
    storage_of(settings).check()
    with closing(index_of(settings)) as index:
        result = asyncio.run(_scan(settings, index))
        total = len(index)
    if arguments.json:
        say_json({"total": total, **msgspec.to_builtins(result)})
    else:
        say(
            f"{total} photos: {len(result.imported)} new, {len(result.updated)} changed, "
            f"{len(result.removed)} gone, {result.skipped} as they were"
        )
        for error in result.errors:
            print(
                f"tagline: {printable(error.object_key)}: {printable(error.detail)}",
                file=sys.stderr,
            )
    return int(bool(result.errors))


def settings_of(arguments: Namespace) -> Settings:
    """The settings for the directory that a command names."""
    return load_settings({"PHOTO_STORAGE_PATH": arguments.directory})


async def _scan(settings: Settings, index: TinyPhotoIndex) -> ReconcileResult:
    reconciler = reconciler_of(settings, storage_of(settings), index)
    bar = asyncio.create_task(_show_progress(reconciler)) if sys.stderr.isatty() else None
    try:
        return await reconciler.reconcile()
    finally:
        if bar is not None:
            bar.cancel()
            await asyncio.wait([bar])
        await reconciler.close()


async def _show_progress(reconciler: Reconciler) -> None:
    with tqdm(unit=" photos", desc="reading", leave=False, file=sys.stderr) as bar:
        while True:
            progress = reconciler.progress
            bar.total = progress.total
            bar.set_postfix_str(f"{progress.listed} listed", refresh=False)
            bar.update(progress.read - bar.n)
            await asyncio.sleep(_REFRESH_SECONDS)
