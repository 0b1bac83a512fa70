"""The software bill of materials, as CycloneDX 1.6: what Tagline consists of when it runs.

Names and versions come from requirements.lock; licences and who needs whom from the installed
packages; of Swagger UI, which is shipped inside the package, from its README. The same input gives
the same bytes.
"""

import json
import re
import sys
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PINNED = re.compile(r"^([a-z0-9.-]+)==([^ ;\\]+)(?: ;([^\\]+))?", re.MULTILINE)
BUILD_ONLY = frozenset({"flit-core"})
ELSEWHERE = "sys_platform == 'win32'"
CLASSIFIED = {
    "Apache 2.0": "Apache-2.0",
}
"""Texts that packages give for a licence, and what SPDX calls it."""
BUNDLED = {"pi-heif": ("libheif", "libde265")}
"""Libraries that a wheel brings, under a licence of their own: LGPL-3.0-or-later."""


def pinned(lock: str) -> dict[str, str]:
    """What the server runs with: name to version."""
    return {
        name: version
        for name, version, marker in PINNED.findall(lock)
        if name not in BUILD_ONLY and ELSEWHERE not in marker
    }


def licence_of(name: str) -> str:
    """The SPDX expression of an installed package."""
    said = metadata.metadata(name)
    given = said.get("License-Expression") or said.get("License") or "NOASSERTION"
    return CLASSIFIED.get(given.strip(), given.strip())


def needs(name: str, known: set[str]) -> list[str]:
    """Which of the known packages a package needs here."""
    said = (
        re.match(r"[A-Za-z0-9._-]+", each)[0]
        for each in metadata.requires(name) or ()
        if "extra ==" not in each
    )
    return sorted({_normal(each) for each in said} & known)


def make_sbom() -> dict[str, Any]:
    """The document."""
    version = re.search(r'__version__ = "(.+)"', (ROOT / "tagline/__init__.py").read_text())[1]
    found = pinned((ROOT / "requirements.lock").read_text())
    parts = [_component(name, of, licence_of(name)) for name, of in sorted(found.items())]
    parts += [
        {
            "type": "library",
            "bom-ref": bundled,
            "name": bundled,
            "licenses": _licence("LGPL-3.0-or-later"),
        }
        for package in found
        for bundled in BUNDLED.get(package, ())
    ]
    swagger = re.match(r"# Swagger UI (\S+)", (ROOT / "tagline/api/swagger/README.md").read_text())[
        1
    ]
    parts.append(
        {
            "type": "library",
            "bom-ref": "swagger-ui-dist",
            "name": "swagger-ui-dist",
            "version": swagger,
            "purl": f"pkg:npm/swagger-ui-dist@{swagger}",
            "licenses": _licence("Apache-2.0"),
        }
    )
    direct = [_normal(each) for each in _direct()]
    links = [{"ref": "tagline", "dependsOn": sorted([*direct, "swagger-ui-dist"])}]
    links += [
        {"ref": name, "dependsOn": [*needs(name, set(found)), *BUNDLED.get(name, ())]}
        for name in sorted(found)
    ]
    made: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "tagline",
                "name": "tagline",
                "version": version,
                "licenses": _licence("Apache-2.0"),
            }
        },
        "components": parts,
        "dependencies": links,
    }
    named = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(made, sort_keys=True))
    return {"serialNumber": f"urn:uuid:{named}", **made}


def _direct() -> list[str]:
    said = (ROOT / "pyproject.toml").read_text().split("\ndependencies = [")[1].split("]")[0]
    return re.findall(r'"([A-Za-z0-9._-]+)', said)


def _component(name: str, version: str, licence: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": name,
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": _licence(licence),
    }


def _licence(expression: str) -> list[dict[str, str]]:
    return [{"expression": expression}]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    json.dump(make_sbom(), sys.stdout, indent=1)
    sys.stdout.write("\n")
