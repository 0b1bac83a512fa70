"""How long after its last change a file may have changed once more unseen."""

import pytest

from tagline.model import FileState, IndexedFile
from tagline.sync import Decoded
from tagline.sync.reading import Fresh
from tests.sync.worlds import fake_photo

WHOLE, FINE = 1_700_000_000_000_000_000, 1_700_000_000_123_456_789


@pytest.mark.parametrize(
    ("changed_ns", "age_seconds", "may_hide"),
    [
        ((FINE,), 0.01, True),
        ((FINE,), 0.03, False),
        ((WHOLE,), 0.03, True),
        ((WHOLE,), 1.9, True),
        ((WHOLE,), 2.1, False),
        ((WHOLE, WHOLE), 1.9, True),
        ((WHOLE, FINE), 1.9, False),
    ],
)
def test_whole_seconds_tell_of_a_coarse_clock(
    changed_ns: tuple[int, ...], age_seconds: float, may_hide: bool
) -> None:
    """FAT and some shares tick every two seconds, as their times show; others in milliseconds."""
    files = tuple(
        IndexedFile(f"{number}.jpg", FileState(number, 1, changed, changed))
        for number, changed in enumerate(changed_ns)
    )
    decoded = Decoded(photo=fake_photo(files[0], None), fingerprint="1:0", files=files)
    assert Fresh(decoded, None, age_seconds).may_hide_a_change is may_hide
