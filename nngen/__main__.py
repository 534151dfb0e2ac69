"""`python -m nngen`."""

import sys

from nngen.cli import main

sys.exit(main())
