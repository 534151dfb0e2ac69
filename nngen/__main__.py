"""`python -m nngen` is `nngen`."""

from __future__ import annotations

import sys

from nngen.cli import main

if __name__ == "__main__":
    sys.exit(main())
