"""What is missing of a file, in words for the end of a sentence."""

from typing import Final

EMPTY: Final = "it is empty"
BEGINNING_MISSING: Final = "its beginning is missing"
HEADER_MISSING: Final = "a part of what stands ahead of its image is missing"
END_MISSING: Final = "the end of its image is missing"
HOLE: Final = "zeros stand where a part of its image should be"
PART_MISSING: Final = "it names a part that is missing"
PICTURE_MISSING: Final = "a further picture inside it is missing or ends early"
VIDEO_MISSING: Final = "the video inside it is missing or ends early"
TRAILER_MISSING: Final = "the end of what its camera put behind the image is missing"
DIRECTORY_MISSING: Final = "its directory is missing"
VALUE_MISSING: Final = "its directory names data behind the end of the file"
TEXT_MISSING: Final = "the end of its text is missing"
HOLE_IN_TEXT: Final = "zeros stand where a part of its text should be"
