"""The command of train_cli.py: LightningCLI, which has options and a help of its own."""

from squadqa.cli.training_options import require_trusted


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after `train_cli.py`: those of LightningCLI, and `--trust NAME` as
            `squadqa train` has it.

    Returns:
        The exit code.
    """
    line, trust = _without_trust(arguments)
    require_trusted(line, trust=trust)
    from squadqa.cli.lightning import run as run_lightning

    command = " ".join(["python train_cli.py", *arguments])
    return run_lightning(line, command=command, trust=trust, also_known=["--trust"])


def _without_trust(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Separate the names that the user trusts from all other words."""
    line: list[str] = []
    trust: list[str] = []
    words = iter(arguments)
    for word in words:
        name, has_value, value = word.partition("=")
        if name == "--trust":
            trust.append(value if has_value else next(words, ""))
        else:
            line.append(word)
    return line, trust
