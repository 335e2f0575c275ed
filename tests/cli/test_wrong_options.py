"""Wrong options of `squadqa train`: a message of a few lines, and no files."""

from pathlib import Path

import pytest

from tests.support.forked import refused, write_config
from tests.support.runs import READER


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epocs", 3], ['unknown option "--epocs"', '"--epochs"']),
        (["--device", "gpu"], ['cannot be "gpu"', '"cpu"']),
        (["--device", "cuda"], ["the trainer cannot be made with these options", "--device"]),
        (["--precision", "bf"], ['trainer.precision cannot be "bf"', '"bf16"']),
        (["--wandb", "of"], ['cannot be "of"', '"off"']),
        (["--epochs", "three"], ['"three" is not a whole number']),
        (["--data.batchsize", 3], ['"--data.batchsize"', '"--data.batch_size"']),
        (["--data.batch_size", "many"], ['data.batch_size cannot be "many"', "type int"]),
        (["--data.batch_size", 0], ["data.batch_size cannot be 0"]),
        (["--trainer.max_epoch", 3], ['"--trainer.max_epoch"', '"--trainer.max_epochs"']),
        (["--model.decay", "liner"], ['cannot be "liner"', '"linear"']),
        (["--model.optimizer.init_args.lrr", 1], ['"lrr" of model.optimizer', "class_path"]),
        (
            ["--model.scorr.init_args.x", 1],
            ['unknown option "--model.scorr.init_args.x"', 'Did you mean "--model.scorer"?'],
        ),
        (["--model.readr.x", 1], ['option "--model.readr.x"', 'Known: "decay"', '"scorer"']),
        (["--model.scorer.los.y", 1], ['"--model.scorer.los.y"', 'mean "--model.scorer.loss"?']),
        (["--model.scorer.loss.y", 1], ['"--model.scorer.loss.y"', "has no options"]),
        (["--data.inputs.generator.x.y", 1], ['"--data.inputs.generator.x.y"', "has no options"]),
        (["--model.scorer.table_bits", "many"], ['cannot be "many"\n', "of type int"]),
        (["--model.scorer.loss", "many"], ['cannot be "many"\n', '"softmax"']),
        (["--data", "train.json"], ["no test questions", "--test"]),
        (["--data", "-"], ["no test questions", "--test"]),
        (["--find-answers", "frist"], ['--find-answers cannot be "frist"', '"first"']),
        (["--data.find_answers", "frist"], ['data.find_answers cannot be "frist"', '"first"']),
        (["--data.columns", "qestion=q"], ['columns name "qestion"', '"question"']),
        (["--columns", "q"], ['columns cannot be "q"', "question=NAME"]),
        (["--data.inputs.language", "os"], ['the language cannot be "os"']),
        (["--data.train", "trian.json"], ['no data file "trian.json"', '"train.json"']),
        (["--data.test", "dve.json"], ['no data file "dve.json"', '"dev.json"']),
        (["--config", "confg.yaml"], ['no configuration "confg.yaml"', '"config.yaml"']),
        (["--run", "config.yaml/run"], ['cannot write "config.yaml/run"']),
        (["--run", "my run"], ['cannot be called "my run"', "--run"]),
        (["--precision", "bf16-true"], ['cannot be "bf16-true"', "It is 32-true"]),
        (["--warm-start", "nope"], ['no run folder "nope"']),
        (
            ["--trainer.max_epochs", -1, "--model.decay", "linear"],
            ['model.decay cannot be "linear": the training has no end'],
        ),
        (["--model.ema_decay", 1], ["model.ema_decay cannot be 1", "0.999"]),
        (["--model.plateau_factor", 10], ["model.plateau_factor cannot be 10"]),
        (["--model.warmup_steps", -5], ["model.warmup_steps cannot be -5"]),
        (
            ["--model.optimizer", '{"class_path": "torch.optim.Adam", "init_args": {"lr": -1}}'],
            ["the optimiser cannot be made with these values", "learning rate: -1"],
        ),
        (["--model.scorer.init_args.table_bits", -3], ["table_bits cannot be -3", "1 to 28"]),
        (["--data.limit_train", 0], ["data.limit_train cannot be 0", "1 or more"]),
        (["--data.workers", -1], ["data.workers cannot be -1", "0 or more"]),
        (["--data.inputs.init_args.max_characters", 0], ["max_characters cannot be 0"]),
        (["--early_stopping.patience", 0], ["early_stopping.patience cannot be 0"]),
        (["--early_stopping.min_delta", -1], ["early_stopping.min_delta cannot be -1"]),
        (["--results", "config.yaml"], ['cannot write "config.yaml/config.json"']),
        (["--run", "x" * 252, "--results", "rows"], ["File name too long", "a shorter name"]),
        (["--run", "x" * 300], ["File name too long", "a shorter name"]),
        (["--trainer.gradient_clip_val", -1], ["gradient_clip_val cannot be -1", "norm"]),
        (["--early_stopping.monitor", "val/f"], ['cannot be "val/f"', '"val/f1"']),
        (
            ["--early_stopping.monitor", "val/loss"],
            ['early_stopping.mode cannot be "max" with "val/loss"', "to min"],
        ),
        (["--model.word_dropout", 0.1], ["word_dropout cannot be 0.1: there are no word vectors"]),
        (
            ["--model.decay", "plateau", "--patience", 2, "--model.plateau_patience", 2],
            ["would stop before its learning rate falls", "more patience"],
        ),
    ],
    ids=lambda value: str(value[0]) + "-" + str(value[1]) if len(value) == 2 else "",
)
def test_wrong_options(folder: Path, arguments: list[object], said: list[str]) -> None:
    message = refused(folder, "train", "--config", "config.yaml", "--wandb", "off", *arguments)
    for text in said:
        assert text in message


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true", "16-mixed"])
def test_a_reader_in_half_precision_on_a_cpu(tmp_path: Path, precision: str) -> None:
    write_config(tmp_path, READER)
    arguments = ["--config", "config.yaml", "--wandb", "off", "--trainer.precision", precision]
    said = refused(tmp_path, "train", *arguments)
    assert "trainer.precision cannot be" in said
    assert "the default is 32-true" in said
