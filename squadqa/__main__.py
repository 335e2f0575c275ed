"""`python -m squadqa`: the program `squadqa`, where its folder is not on the path."""

import sys

from squadqa.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
