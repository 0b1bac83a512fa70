"""The list of dependencies, the bill of materials and the audit say what is true."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([a-z0-9-]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def listed(heading: str) -> dict[str, str]:
    """The packages and licences below a heading of the list."""
    text = (ROOT / "docs/dependencies.md").read_text()
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return {name: licence for name, licence, _ in ROW.findall(section) if name != "package"}


@pytest.fixture(scope="module")
def sbom():
    """The bill of materials."""
    run = [sys.executable, str(ROOT / "deploy/sbom.py")]
    made = [subprocess.run(run, capture_output=True, check=True).stdout for _ in range(2)]
    assert made[0] == made[1]
    return json.loads(made[0])


def test_what_was_chosen_is_what_is_asked_for():
    """The first table has the dependencies of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {re.match(r"[a-z0-9-]+", each)[0] for each in project["dependencies"]}
    assert listed("Chosen").keys() == asked


def test_every_package_and_its_licence_is_listed(sbom):
    """Both tables together are the lock, with the licences that the packages themselves tell."""
    found = {
        part["name"]: part["licenses"][0]["expression"]
        for part in sbom["components"]
        if part.get("purl", "").startswith("pkg:pypi/")
    }
    assert {**listed("Chosen"), **listed("Brought along")} == found


def test_no_licence_binds_users(sbom):
    """No GPL anywhere; LGPL only of libraries in files of their own."""
    licences = {part["name"]: part["licenses"][0]["expression"] for part in sbom["components"]}
    for name, licence in licences.items():
        assert not re.search(r"(?<!L)GPL", licence), name
        assert "NOASSERTION" not in licence, name
    lesser = {name for name, licence in licences.items() if "LGPL" in licence}
    assert lesser == {"libheif", "libde265"}


def test_the_bill_names_what_needs_what(sbom):
    """Every part is reached from Tagline, and every reference leads to a part."""
    needs = {link["ref"]: link["dependsOn"] for link in sbom["dependencies"]}
    reached, ahead = set(), ["tagline"]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += needs.get(name, [])
    assert reached == {"tagline", *(part["bom-ref"] for part in sbom["components"])}


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ({"name": "a", "version": "1", "vulns": []}, 0, "0 known vulnerabilities in the 1"),
        ({"name": "a", "skip_reason": "no data"}, 0, "NOT JUDGED"),
        (
            {"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]},
            1,
            "a 1: X-1, mended in 2",
        ),
        (None, 2, "could not be made"),
    ],
)
def test_the_audit_fails_for_findings_alone(tmp_path, answer, code, words):
    """A vulnerability is 1, a lack of data is told, and no answer is 2."""
    said = json.dumps({"dependencies": [answer]}) if answer else "no network"
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n")
    program.chmod(0o755)
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    script = (
        f"import runpy, sys; sys.executable = {str(python)!r}; sys.argv[1:] = ['lock'];"
        f"runpy.run_path({str(ROOT / 'deploy/audit.py')!r}, run_name='__main__')"
    )
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == code, done
    assert words in done.stdout + done.stderr
