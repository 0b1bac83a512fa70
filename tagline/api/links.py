"""From one answer to the next request: the links of the OpenAPI document.

A client author reads from them which member of an answer is which parameter elsewhere; programs
that walk an API by its document follow them.
"""

from typing import Any

Links = dict[str, dict[str, Any]]

_FIRST_LISTED = "$response.body#/items/0/id"
_THE_ANSWERS = "$response.body#/id"
_THE_REQUESTS = "$request.path.photo_id"
_OF_A_PHOTO = ("get_image", "get_thumbnail", "get_preview")


def _link(target: str, says: str, **parameters: str) -> dict[str, Any]:
    """One link object; ``target`` is an operation's id."""
    named = {name.replace("__", "-"): value for name, value in parameters.items()}
    return {"operationId": target, "parameters": named, "description": says}


def _pictures(photo_id: str) -> Links:
    """The links to a photo's bytes."""
    return {name: _link(name, "By the photo's id.", photo_id=photo_id) for name in _OF_A_PHOTO}


_SAFE_EDIT = _link(
    "update_metadata",
    "The photo's id, and the entity tag so that nobody else's change is overwritten.",
    photo_id=_THE_REQUESTS,
    If__Match="$response.header.ETag",
)

_HISTORY = _link("get_history", "What was done to the photo.", photo_id=_THE_ANSWERS)

LINKS: dict[tuple[str, int], Links] = {
    ("list_photos", 200): {
        "get_photo": _link("get_photo", "Each item's id.", photo_id=_FIRST_LISTED),
        "update_metadata": _link("update_metadata", "Each item's id.", photo_id=_FIRST_LISTED),
        **_pictures(_FIRST_LISTED),
    },
    ("get_photo", 200): {
        "update_metadata": _SAFE_EDIT,
        "get_history": _HISTORY,
        **_pictures(_THE_ANSWERS),
    },
    ("update_metadata", 200): {
        "get_photo": _link("get_photo", "The same photo.", photo_id=_THE_ANSWERS),
        "update_metadata": _SAFE_EDIT,
        "get_history": _HISTORY,
    },
    ("get_history", 200): {
        "restore_change": _link(
            "restore_change",
            "Each item's photo and number.",
            photo_id=_THE_REQUESTS,
            n="$response.body#/items/0/n",
        ),
    },
    ("restore_change", 200): {"get_history": _HISTORY},
}
"""By the operation's id and the status of its answer."""
