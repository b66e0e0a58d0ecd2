"""Run the command line: ``python -m sim3d`` is ``sim3d``."""

import sys

from sim3d.cli import main

if __name__ == "__main__":
    sys.exit(main())
