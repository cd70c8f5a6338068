"""`python -m agent`: the same as the `diemcau` command."""

import sys

from agent.cli import main

sys.exit(main())
