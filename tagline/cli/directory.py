"""``scan`` and ``verify``: a whole photo directory, without serving it."""

import asyncio
import sys
from argparse import Namespace
from contextlib import closing

import msgspec
from tqdm import tqdm

from tagline.cli.output import printable
from tagline.config.compose import index_of, reconciler_of, storage_of
from tagline.config.settings import Settings, load_settings
from tagline.errors import IndexLocked
from tagline.index import TinyPhotoIndex
from tagline.library import Finding, verify
from tagline.sync import Reconciler, ReconcileResult

_REFRESH_SECONDS = 0.1


def scan(arguments: Namespace) -> int:
    """Bring the index up to date; 1 when a photo could not be read."""
    settings = _settings(arguments)
    storage_of(settings).check()
    with closing(index_of(settings)) as index:
        result = asyncio.run(_scan(settings, index))
        total = len(index)
    if arguments.json:
        print(msgspec.json.encode({"total": total, **msgspec.to_builtins(result)}).decode())
    else:
        print(
            f"{total} photos: {len(result.imported)} new, {len(result.updated)} changed, "
            f"{len(result.removed)} gone, {result.skipped} as they were"
        )
        for error in result.errors:
            print(f"tagline: {printable(error.object_key)}: {error.detail}", file=sys.stderr)
    return int(bool(result.errors))


def verify_directory(arguments: Namespace) -> int:
    """Print what does not agree; 1 when something is off."""
    settings = _settings(arguments)
    index = _index_if_any(settings)
    count = 0
    try:
        for finding in verify(storage_of(settings), index):
            count += 1
            _print_finding(finding, as_json=arguments.json)
    finally:
        if index is not None:
            index.close()
    if not arguments.json:
        print(f"{count} findings" if count else "everything agrees")
    return int(count > 0)


def _settings(arguments: Namespace) -> Settings:
    return load_settings({"PHOTO_STORAGE_PATH": arguments.directory})


async def _scan(settings: Settings, index: TinyPhotoIndex) -> ReconcileResult:
    reconciler = reconciler_of(storage_of(settings), index)
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


def _index_if_any(settings: Settings) -> TinyPhotoIndex | None:
    """The index to compare with; None where there is none yet, or a server has it open."""
    directory = settings.database_directory
    if directory is None or not directory.is_dir():
        print("tagline: there is no index yet: only files are compared", file=sys.stderr)
        return None
    try:
        return index_of(settings)
    except IndexLocked as error:
        print(f"tagline: {error} Only files are compared.", file=sys.stderr)
        return None


def _print_finding(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(finding).decode())
    else:
        print(f"{finding.kind}: {printable(finding.object_key)}: {printable(finding.detail)}")
