"""The run sheet for a GPU machine: what it runs, and how it goes on after it was cut off."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.programs import run_program
from tests.support.runs import ROOT

SCRIPT = ROOT / "tools" / "gpu_run.sh"

PYTHON = """\
#!/usr/bin/env bash
# Stands in for Python: writes down how it was called, and the file that a piece is to write.
case "$*" in
    "- "*) cat >/dev/null; exit ;;                        # which packages are missing: none
    "-c "*) exit ${GPU_IS_MISSING:-0} ;;                  # is there a GPU
    *" pytest "*) echo tests >>calls ; exit ${TESTS_FAIL:-0} ;;
esac
words=("$@") command=$3 file=
for ((i = 3; i < $#; i++)); do
    case ${words[i]} in
        --output) file=${words[i+1]} ;;
        --run|--resume) run=${words[i+1]} ;;
        --results) file=results/$(basename "$run").json ;;
    esac
done
echo "${*:3}" >>calls
if [[ $command == train && ! -e $run/config.yaml ]]; then  # a first call only begins
    mkdir -p "$run" && touch "$run/config.yaml"
    [[ -n ${BEGINS:-} ]] && exec sleep 30
fi
[[ $file == *"${FAILS:-nothing}"* ]] && { echo "because" ; exit 2; }
echo '{}' >"$file"
"""

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Calls the script, with a program that stands in for Python."""
    python = tmp_path / "python"
    python.write_text(PYTHON, encoding="ascii")
    python.chmod(0o755)
    (tmp_path / "squad.pack").touch()
    usual = {"PYTHON": str(python), "GPU_RUN_BENCH": "drqa:32 mlp:8", "GPU_RUN_TRAIN": "mlp"}

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIPT, "squad.pack", "out"],
            cwd=tmp_path,
            env={**os.environ, **usual, **environment},
            capture_output=True,
            text=True,
            timeout=50,
        )

    return run


def calls(folder: Path) -> list[str]:
    return (folder / "out/calls").read_text(encoding="utf-8").splitlines()


def test_everything_is_measured_once(call: Call, tmp_path: Path) -> None:
    done = call()
    assert done.returncode == 0, done.stdout + done.stderr
    parts = "--data ./squad.pack --device cuda --config configs/vectors/glove_and_spacy.yaml"
    run = f"{parts} --trainer.devices 1 --run runs/"
    end = "--wandb off --results results"
    assert calls(tmp_path) == [
        "tests",
        f"bench drqa {parts} --batch-size 32 --output speed/drqa-32.json",
        f"bench mlp {parts} --batch-size 8 --output speed/mlp-8.json",
        f"train --config configs/drqa.yaml {run}drqa-to-f1-75 --save-every 1000 --until-f1 75 "
        f"--trainer.val_check_interval 0.25 --patience 100 {end}",
        f"train --config configs/mlp.yaml {run}mlp-cuda --save-every 1000 {end}",
    ]
    assert (tmp_path / "out/squad.pack").samefile(tmp_path / "squad.pack")
    assert call().returncode == 0
    assert len(calls(tmp_path)) == 5, "nothing is left"


def test_a_call_ends_in_time_and_the_next_goes_on(call: Call, tmp_path: Path) -> None:
    first = call(GPU_RUN_SECONDS="3", BEGINS="1")
    assert first.returncode == 3, first.stdout + first.stderr
    assert first.stdout.endswith("call again: drqa-to-f1-75 goes on\n")
    second = call()
    assert second.returncode == 0, second.stdout + second.stderr
    resumed, after = calls(tmp_path)[-2:]
    assert resumed == "train --resume runs/drqa-to-f1-75 --wandb off --results results"
    assert "--run runs/mlp-cuda" in after


def test_a_killed_call_leaves_what_the_next_needs(call: Call, tmp_path: Path) -> None:
    """The processes that the killed script had started hold its lock until they end, too."""
    environment = {**os.environ, "PYTHON": str(tmp_path / "python"), "BEGINS": "1"}
    environment |= {"GPU_RUN_BENCH": "drqa:32", "GPU_RUN_TRAIN": ""}
    killed = subprocess.Popen(
        [SCRIPT, "squad.pack", "out"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL
    )
    begun = tmp_path / "out/runs/drqa-to-f1-75/config.yaml"
    deadline = time.monotonic() + 40
    while not begun.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    children = Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split()
    killed.kill()
    killed.wait()
    busy = call(GPU_RUN_SECONDS="0")
    assert (busy.returncode, busy.stdout) == (3, "")
    assert "still at work" in busy.stderr
    for child in children:  # `timeout`, the leader of its group
        os.killpg(int(child), signal.SIGKILL)
    done = call(GPU_RUN_BENCH="drqa:32", GPU_RUN_TRAIN="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in calls(tmp_path)] == ["tests", "bench", "train", "train"]
    assert "--resume" in calls(tmp_path)[-1]


def test_a_piece_that_fails_does_not_stop_the_others(call: Call, tmp_path: Path) -> None:
    failed = call(FAILS="drqa-32", TESTS_FAIL="1")
    assert failed.returncode == 1
    assert "tests failed with code 1" in failed.stdout
    assert "speed-drqa-32 failed with code 2" in failed.stdout and "    because" in failed.stdout
    assert (tmp_path / "out/results/mlp-cuda.json").exists()
    assert call().returncode == 1 and len(calls(tmp_path)) == 5, "it is not tried again unasked"
    assert call(GPU_RUN_RETRY="1").returncode == 0


def test_a_machine_without_a_gpu_is_refused(call: Call, tmp_path: Path) -> None:
    refused = call(GPU_IS_MISSING="1")
    assert refused.returncode == 2 and "finds no GPU" in refused.stderr
    assert call(GPU_IS_MISSING="1", GPU_RUN_DEVICE="cpu").returncode == 0


def test_missing_packages_are_named_with_the_way_to_get_them(call: Call, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.write_text("#!/bin/sh\necho 'hypothesis sortedcontainers'\n", encoding="ascii")
    bare.chmod(0o755)
    refused = call(PYTHON=str(bare))
    assert refused.returncode == 2
    assert "pip download --no-deps" in refused.stderr
    assert "hypothesis sortedcontainers" in refused.stderr


def test_missing_packages_are_found() -> None:
    """The same Python has them all, so that nothing is missing."""
    inline = SCRIPT.read_text(encoding="utf-8")
    listed = inline.partition('needed="')[2].partition('"')[0]
    checked = inline.partition("<<'PYTHON'\n")[2].partition("\nPYTHON\n")[0]
    done = subprocess.run(
        [sys.executable, "-", listed + "not_there wheel-of-it\n"],
        input=checked,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["wheel-of-it"]


@pytest.mark.slow(seconds=900)
def test_everything_runs_on_a_cpu(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    for name in ("train", "dev"):
        tiny.write(tmp_path / "pack" / f"{name}-v1.1.json", tiny.squad())
    small = "--data.inputs.pipeline null --trainer.max_epochs 2"
    settings = {
        "PYTHON": sys.executable,
        "GPU_RUN_DEVICE": "cpu",
        "GPU_RUN_PARTS": "",
        "GPU_RUN_BENCH": "drqa:2",
        "GPU_RUN_TRAIN": "logistic",
        "GPU_RUN_F1": "0.001",
        "GPU_RUN_OPTIONS": small,
    }
    done = run_program(["bash", SCRIPT, "pack", "out"], cwd=tmp_path, limit=850, **settings)
    out = tmp_path / "out"
    assert {path.name for path in (out / "results").iterdir()} == {
        "drqa-to-f1-0.001.json",
        "logistic-cpu.json",
    }, done
    assert (out / "speed/drqa-2.json").is_file() and (out / "tests.log").is_file()
    shutil.rmtree(out)
