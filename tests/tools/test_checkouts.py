import sys
from pathlib import Path

import pytest
from checkouts import Checkout, RunFailedError, chosen_names, open_checkout, what_failed

from tests.test_configs import CONFIGS, FILES, arguments
from tests.tools.conftest import MakeCheckout

ROOT = CONFIGS.parent


def test_every_configuration_is_found_with_the_base_of_its_test() -> None:
    checkout = Checkout(ROOT, Path(sys.executable))
    files = checkout.config_files()
    assert set(FILES) - set(files.values()) == {CONFIGS / "sweep.yaml"}
    assert {"drqa", "char_cnn/vgg", "data/squad"} <= files.keys()
    for name, path in files.items():
        assert checkout.config_options(name) == arguments(path)


def test_further_parts_come_last() -> None:
    checkout = Checkout(ROOT, Path(sys.executable))
    files = ["bidaf", "features/word_in_question", "schedules/adamax"]
    options = checkout.config_options("features/word_in_question", extra=["schedules/adamax"])
    assert options[1::2] == [str(CONFIGS / f"{name}.yaml") for name in files]


@pytest.mark.parametrize("option", ["--run", "--run_folder"])
def test_the_run_folder_is_named_by_the_checkouts_option(
    option: str, make_checkout: MakeCheckout, tmp_path: Path
) -> None:
    checkout = make_checkout("one", {"a": "seed_everything: 1"}, run_option=option)
    options = [*checkout.config_options("a"), "--trainer.max_steps", "1"]
    checkout.fit(options, run=tmp_path / "run", cache=tmp_path, timeout=60)
    assert (tmp_path / "run" / "predictions.json").is_file()


def test_a_failed_training_says_why(make_checkout: MakeCheckout, tmp_path: Path) -> None:
    checkout = make_checkout("one", {"a": "seed_everything: 1\nerror: no such loss"})
    with pytest.raises(RunFailedError, match="^no such loss$"):
        checkout.fit(checkout.config_options("a"), run=tmp_path / "r", cache=tmp_path, timeout=60)


def test_a_training_that_hangs_is_stopped(make_checkout: MakeCheckout, tmp_path: Path) -> None:
    checkout = make_checkout("one", {"a": "seed_everything: 1"})
    (checkout.folder / "train_cli.py").write_text("import time; time.sleep(60)")
    with pytest.raises(RunFailedError, match="not finished after 1 seconds"):
        checkout.fit(checkout.config_options("a"), run=tmp_path / "r", cache=tmp_path, timeout=1)


@pytest.mark.parametrize(
    ("stderr", "line"),
    [
        ("", ""),
        ("Traceback:\n  File x\nKeyError: 'loss'\n", "KeyError: 'loss'"),
        ("half done\nsquadqa: error: no file\n  Name another.\n", "no file"),
    ],
)
def test_what_failed(stderr: str, line: str) -> None:
    assert what_failed(stderr) == line


def test_opens_a_checkout_with_the_interpreter_of_this_process(make_checkout: MakeCheckout) -> None:
    made = make_checkout("one", {})
    assert open_checkout(str(made.folder), None) == made


def test_an_interpreter_that_imports_other_code_is_refused(make_checkout: MakeCheckout) -> None:
    made = make_checkout("one", {})
    (made.folder / "squadqa" / "__init__.py").write_text("__file__ = '/elsewhere'")
    with pytest.raises(ValueError, match="does not import the code of .*: /elsewhere"):
        open_checkout(str(made.folder), sys.executable)


def test_other_folders_are_refused(tmp_path: Path, make_checkout: MakeCheckout) -> None:
    with pytest.raises(FileNotFoundError, match="it has no train_cli.py"):
        open_checkout(str(tmp_path), None)
    with pytest.raises(FileNotFoundError, match="there is no interpreter"):
        open_checkout(str(make_checkout("one", {}).folder), str(tmp_path / "python"))


def test_names_are_chosen_by_patterns() -> None:
    names = ["char_cnn/none", "char_cnn/vgg", "drqa"]
    assert chosen_names(names, []) == names
    assert chosen_names(names, ["char_cnn/*"]) == names[:2]
    assert chosen_names(names, ["drqa", "*/vgg"]) == names[1:]
    with pytest.raises(ValueError, match='"drq"; known: char_cnn/none'):
        chosen_names(names, ["drqa", "drq"])
