"""`python -m tuner …`: see tuner/cli.py."""

import sys

from tuner.cli import main

sys.exit(main())
