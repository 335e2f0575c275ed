"""Lightning without its advertisements and without notes that a user cannot act on."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

NOISE = (
    r".*LightningCLI's args parameter is intended to run from within Python",
    r".*isinstance\(treespec, LeafSpec\)",
    r".*You have overridden `transfer_batch_to_device`",
    r".*predict returned None if it was on purpose",
    r".*does not have many workers which may be a bottleneck",
    r".*smaller than the logging interval",
    r".*Checkpoint directory .* exists and is not empty",
    r".*when using `ckpt_path`, callbacks used to create the checkpoint need to be provided",
    # Every process logs the scores of all.
    r".*It is recommended to use `self\.log\('(val|test)/.*sync_dist=True",
)
"""Suppressed warnings, by their text, so that all others are still shown."""


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Suppress `NOISE`, and Lightning's log below warnings."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for text in NOISE:
            warnings.filterwarnings("ignore", message=text)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
