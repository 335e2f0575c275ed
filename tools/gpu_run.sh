#!/usr/bin/env bash
# What there is to measure on a machine with a GPU, in pieces that can be cut off at any moment:
#
#     tools/gpu_run.sh PACK OUT
#
# PACK is anything that `squadqa train --data` takes, OUT a folder that is made. The tests for GPUs,
# the speed of each model, a training of DrQA timed to dev F1 75, then whole trainings. A call ends
# after eight minutes at most and says what is left; the same call goes on there, as it does after
# kill -9. docs/speed.md has more.
#
# Exit code: 0 all is done, 1 all is done but some pieces failed, 2 it cannot run here, 3 call again.
#
# Settings, as environment variables:
#   GPU_RUN_SECONDS  seconds of a call (480)
#   GPU_RUN_DEVICE   cuda or cpu (cuda)
#   GPU_RUN_PARTS    configurations to put on top of each model's (wide word vectors)
#   GPU_RUN_BENCH    MODEL:BATCH_SIZE to measure
#   GPU_RUN_F1       F1 to time DrQA to (75)
#   GPU_RUN_TRAIN    models to train as their configurations say
#   GPU_RUN_WHEELS   folder of wheels to install into OUT (wheels, beside OUT)
#   GPU_RUN_OPTIONS  further options of every training and measurement
#   GPU_RUN_RETRY    1 tries pieces again that failed
#   PYTHON           the interpreter (python3)
set -uo pipefail

if [[ $# -ne 2 ]]; then
    echo "usage: $0 PACK OUT" >&2
    exit 2
fi
begun=$(date +%s)
seconds=${GPU_RUN_SECONDS:-480}
device=${GPU_RUN_DEVICE:-cuda}
python=${PYTHON:-python3}
f1=${GPU_RUN_F1:-75}
read -ra parts <<<"${GPU_RUN_PARTS-configs/vectors/glove_and_spacy.yaml}"
read -ra bench <<<"${GPU_RUN_BENCH-drqa:32 drqa:128 logistic:64 mlp:32 bilstm:32 bidaf:32 rnet:32 match_lstm:32 match_lstm:128 dcn:32 dcn:128 house:32 house:128}"
read -ra train <<<"${GPU_RUN_TRAIN-logistic mlp drqa match_lstm bidaf bilstm rnet dcn house}"
read -ra options <<<"${GPU_RUN_OPTIONS-}"

if [[ ! -e $1 ]]; then
    echo "there is no data \"$1\"" >&2
    exit 2
fi
pack=$(realpath "$1")
mkdir -p "$2/logs" "$2/speed" "$2/results" "$2/runs" "$2/tmp" || exit 2
out=$(realpath "$2")
wheels=${GPU_RUN_WHEELS:-$(dirname "$out")/wheels}
checkout=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
cd "$out" || exit 2
# So that results name the data, not where this machine has it.
data=./$(basename "$pack")
[[ $pack -ef $data ]] || ln -sfn "$pack" "$data" || exit 2

# The lock passes on to what the script starts, which may outlive a script that was killed: then
# the next call waits for it.
exec 9>"$out/lock"
if ! flock -w "$seconds" 9; then
    echo "another call is still at work in \"$out\": call again" >&2
    exit 3
fi

left() { echo $((begun + seconds - $(date +%s))); }

# --- What has to be there

export PYTHONPATH="$checkout:$out/site${PYTHONPATH:+:$PYTHONPATH}"
export SQUADQA_CACHE_DIR="$out/cache" TMPDIR="$out/tmp" HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1

# Module, then the wheels that bring it and what it needs besides torch.
needed="
torch torch
numpy numpy
pyarrow pyarrow
yaml PyYAML
pytorch_lightning pytorch-lightning lightning-utilities tqdm packaging typing_extensions fsspec
torchmetrics torchmetrics
jsonargparse jsonargparse docstring-parser typeshed-client ruamel.yaml
pytest pytest iniconfig pluggy pygments
pytest_timeout pytest-timeout
hypothesis hypothesis sortedcontainers
"
missing() {
    "$python" - "$needed" <<'PYTHON'
import importlib.util, sys
for line in sys.argv[1].split("\n"):
    module, _, wheels = line.partition(" ")
    if module and importlib.util.find_spec(module) is None:
        print(wheels)
PYTHON
}
lacking=$(missing) || { echo "\"$python\" does not run: set PYTHON" >&2; exit 2; }
if [[ -n $lacking ]] && compgen -G "$wheels/*.whl" >/dev/null; then
    "$python" -m pip install --quiet --no-index --no-deps --upgrade --target "$out/site" \
        "$wheels"/*.whl || exit 2
    lacking=$(missing)
fi
if [[ -n $lacking ]]; then
    echo "packages are missing here. Where there is a network, with the same Python:" >&2
    echo "    pip download --no-deps --dest wheels --constraint constraints.txt" $lacking >&2
    echo "Then put the folder at \"$wheels\" and call again." >&2
    exit 2
fi
if [[ $device == cuda ]] && ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'
then
    echo "PyTorch finds no GPU here; GPU_RUN_DEVICE=cpu measures the CPU" >&2
    exit 2
fi

# --- Pieces

# piece NAME FILE COMMAND...: run a command that writes FILE, unless that is there. What time cuts
# off is tried again by the next call, what fails only if it is asked for.
piece() {
    local name=$1 file=$2 code
    shift 2
    local log=logs/$name.log failed=logs/$name.failed
    [[ ${GPU_RUN_RETRY:-} == 1 ]] && rm -f "$failed"
    [[ -e $file || -e $failed ]] && return
    if (($(left) < 2)); then
        echo "call again: $name and what follows are left"
        exit 3
    fi
    echo "$name"
    timeout --signal=TERM --kill-after=10 "$(left)" "$@" >>"$log" 2>&1
    code=$?
    [[ -e $file ]] && return
    if ((code == 124 || $(left) < 1)); then
        echo "call again: $name goes on"
        exit 3
    fi
    echo "code $code: $*" >"$failed"
    echo "$name failed with code $code; the end of $log:"
    tail -n 5 "$log" | sed 's/^/    /'
}

# The log is written beside its place, and is there when the tests have passed.
piece tests tests.log bash -c '
    "$1" -m pytest --rootdir "$2" -c "$2/pyproject.toml" -o addopts="--import-mode=importlib" \
        -p no:cacheprovider -q -rs "$2/tests/gpu" >tests.part 2>&1 && mv tests.part tests.log ||
        { tail -n 20 tests.part; exit 1; }' bash "$python" "$checkout"

squadqa=("$python" -m squadqa.cli.main)
common=(--data "$data" --device "$device")
for part in "${parts[@]}"; do common+=(--config "$part"); done

for one in "${bench[@]}"; do
    model=${one%%:*} size=${one##*:}
    file=speed/$model-$size.json
    # A file that is there is whole: it is renamed to its name.
    piece "speed-$model-$size" "$file" "${squadqa[@]}" bench \
        "$model" "${common[@]}" --batch-size "$size" --output "$file" "${options[@]}"
done

# train_piece NAME CONFIG OPTIONS...: train a run to its end, over as many calls as that takes.
train_piece() {
    local name=$1 config=$2 run=runs/$1
    shift 2
    local line=(--config "$config" "${common[@]}" --trainer.devices 1 --run "$run" --save-every 1000)
    line+=("${options[@]}" "$@")
    [[ -e $run/config.yaml ]] && line=(--resume "$run")
    piece "$name" "results/$name.json" "${squadqa[@]}" train "${line[@]}" --wandb off --results results
}

train_piece "drqa-to-f1-$f1" configs/drqa.yaml \
    --until-f1 "$f1" --trainer.val_check_interval 0.25 --patience 100
for model in "${train[@]}"; do
    train_piece "$model-$device" "configs/$model.yaml"
done

if compgen -G "logs/*.failed" >/dev/null; then
    echo "done, but these failed (GPU_RUN_RETRY=1 tries them again):"
    head -qn 1 logs/*.failed | sed 's/^/    /'
    exit 1
fi
echo "done: results/ and speed/ of \"$out\" are for results/ and results/speed/ of the checkout"
