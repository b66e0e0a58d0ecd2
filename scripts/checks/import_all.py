"""Import every module of the installed packages, to see that a wheel is whole; run from an empty folder.

python scripts/checks/import_all.py
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

PACKAGES = ("sim3d", "geomag", "atmosphere", "hadronic")
CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Import all; 1 if a package comes from the checkout instead of an installation."""
    # running a script puts its own folder first on the path, not the checkout: the packages are the installed ones
    count = 0
    for package in PACKAGES:
        found = importlib.import_module(package)
        if CHECKOUT in Path(str(found.__file__)).resolve().parents and ".venv" not in str(found.__file__):
            print(f"{package} is {found.__file__}, of the checkout and no installation")
            return 1
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            importlib.import_module(module.name)
            count += 1
    print(f"{count} modules imported from {Path(str(found.__file__)).parents[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
