"""Prints what pip-audit found, and fails on a known hole: `python .ci/audit.py AUDIT.json`."""

import json
import pathlib
import sys


def main(path):
    """Reads the file that pip-audit wrote.

    Where no index of known holes answers, pip-audit writes nothing, and nothing was found out.

    Args:
        path: path of the file, which may be missing.
    """
    path = pathlib.Path(path)
    packages = json.loads(path.read_text())["dependencies"] if path.exists() else []
    holes = [f"{one['name']} {one['version']}: {hole['id']}" for one in packages for hole in one.get("vulns", [])]
    audited = sum("vulns" in one for one in packages)
    print(
        f"audit: {audited} of {len(packages)} packages were known to the index, {len(holes)} holes"
        if audited
        else "audit: SKIPPED, no index of known holes answered"
    )
    if holes:
        sys.exit("\n".join(holes))


if __name__ == "__main__":
    main(sys.argv[1])
