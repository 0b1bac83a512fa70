"""Texts that cameras and programs put into ImageDescription by themselves.

MWG 2.0 leaves them to the reader. Nobody wrote them, so they are no description: taken for one,
they would hide the text that a person did write in XMP or IPTC. Only strings that no person would
write belong here: "Untitled" or "Screenshot" may well be somebody's words.
"""

import re

_FIXED = frozenset(
    {
        "DCF 1.0",
        "DCIM",
        "Digital still camera",
        "Exif_JPEG_PICTURE",
        "KODAK Digital Still Camera",
        "ICM107B",
        "LEAD Technologies Inc. V1.01",
        "Minolta DSC",
        "SAMSUNG CAMERA PICTURES",
        "SONY DSC",
    }
    # Shooting modes that Huawei and Honor phones write.
    | {"btf", "cof", "dav", "edf", "fbt", "hdrpl", "oznor", "ozedf", "rhdr"}
)
_PATTERN = re.compile(
    r"""(?x)
    (DIGITAL \s CAMERA | [A-Z][A-Z0-9 ,.&-]* \s DIGITAL \s CAMERA)  # OLYMPUS DIGITAL CAMERA, …
    | < (KENOX | (?i:Digimax) | SAMSUNG) [^<>]* >                     # <Digimax S500 / Kenox S500>
    | (?i:Jenoptik \s digital \s camera)
    | EXIF_JPEG_[A-Z0-9]+
    | DCIM\\ \d{3} [^\\]* \\ [^\\]+                                  # DCIM\100MEDIA\DJI_0012.JPG
    | (btf | cof | dav | fbt | hdr | oznor | rhdr) _ [a-z]{2,12}      # dav_soft, cof_vivid
    """
)
_MAX_CHARACTERS = 64


def is_default(text: str) -> bool:
    """Whether the text is blank, or one that a camera or program writes by itself."""
    stripped = text.strip(" \t\r\n\0")
    if not stripped or stripped in _FIXED:
        return True
    return len(stripped) <= _MAX_CHARACTERS and _PATTERN.fullmatch(stripped) is not None
