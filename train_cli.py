"""Train and evaluate through LightningCLI: `python train_cli.py fit --config configs/drqa.yaml`."""

import sys

from squadqa.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["lightning", *sys.argv[1:]]))
