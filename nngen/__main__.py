"""The command `nngen`, and `python -m nngen`."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command line in a process of its own, and return its exit code."""
    # Most of a command is imports, which leave no garbage; Python would look for it all the time.
    gc.set_threshold(50_000)
    from nngen import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
