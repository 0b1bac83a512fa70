"""Known vulnerabilities of the locked packages, by pip-audit: 1 where there is one.

What the package index says nothing of was not judged. That is told, and is no fault of a package.
"""

import json
import subprocess
import sys
from pathlib import Path


def main(lock: str) -> int:
    """Ask, and tell in words; 1 for a vulnerability, 2 where nothing could be asked."""
    program = str(Path(sys.executable).with_name("pip-audit"))
    asked = subprocess.run(
        [program, "--require-hashes", "--disable-pip", "--format", "json", "--requirement", lock],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(asked.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        print(f"The audit could not be made:\n{asked.stderr}", file=sys.stderr)
        return 2
    judged = [package for package in packages if "vulns" in package]
    for package in judged:
        for found in package["vulns"]:
            mended = ", ".join(found["fix_versions"]) or "nothing yet"
            print(f"{package['name']} {package['version']}: {found['id']}, mended in {mended}")
    silent = len(packages) - len(judged)
    if silent:
        print(f"NOT JUDGED: the package index has no data here on {silent} of {len(packages)}.")
    count = sum(len(package["vulns"]) for package in judged)
    print(f"{count} known vulnerabilities in the {len(judged)} packages that were judged.")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
