"""`python -m thanopg` is the command `thanopg`."""

import sys

from thanopg.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
