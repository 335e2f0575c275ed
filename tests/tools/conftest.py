"""Checkouts whose trainings take no time, with the same output files as real ones."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from checkouts import Checkout

TRAIN_CLI = '''\
"""Writes what a training would, from what its last configuration says of it."""
import json, os, sys
from pathlib import Path
import yaml

words = sys.argv[2:]
options = dict(zip(words[::2], words[1::2], strict=True))
config = yaml.safe_load(Path(options["--config"]).read_text())
if "error" in config:
    sys.exit(f"working\\nsquadqa: error: {config['error']}\\n  What to do about it.")
assert os.environ["OMP_NUM_THREADS"] == "1"
run = Path(options["RUN_OPTION"])
(run / "logs" / "version_0").mkdir(parents=True)
steps = range(int(options["--trainer.max_steps"]))
lines = ["step,lr,train/loss,val/loss,test/loss"]
lines += [f"{step},0.1,,,\\n{step},,{config.get('loss', 0.5)},," for step in steps]
lines += [f"{len(steps) - 1},,,0.25,", f"{len(steps)},,,,0.125"]
(run / "logs" / "version_0" / "metrics.csv").write_text("\\n".join(lines))
(run / "predictions.json").write_text(json.dumps({"a": config.get("answer", "x"), "b": "y"}))
for callback in json.loads(options.get("--trainer.callbacks", "[]")):
    ends = [(100 + step * config["seconds"], step * config["seconds"] / 2, 32) for step in steps]
    Path(callback["init_args"]["file"]).write_text(json.dumps(ends))
with Path(__file__).with_name("trained.txt").open("a") as file:
    file.write(Path(options["--config"]).stem + "\\n")
'''

MakeCheckout = Callable[..., Checkout]


@pytest.fixture
def make_checkout(tmp_path: Path) -> MakeCheckout:
    """Make a checkout from the texts of its configurations, by name."""

    def make(name: str, configs: dict[str, str], *, run_option: str = "--run") -> Checkout:
        folder = tmp_path / name
        texts = {
            "train_cli.py": TRAIN_CLI.replace("RUN_OPTION", run_option),
            "squadqa/__init__.py": "",
            "squadqa/train.py": f'parser.add_argument("{run_option}")\n',
            "data/sample/train.json": "{}",
            **{f"configs/{key}.yaml": text for key, text in configs.items()},
        }
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return Checkout(folder, Path(sys.executable))

    return make
