"""Waiting threads sleep soon, unless the user has chosen otherwise."""

import subprocess
import sys

import pytest

from squadqa.cli.openmp import BRIEF_WAITS, wait_briefly


def test_set_where_nothing_is() -> None:
    environment = {"HOME": "/"}
    wait_briefly(environment)
    assert environment == {"HOME": "/", **BRIEF_WAITS}


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"])
def test_a_choice_of_the_user_stays(name: str) -> None:
    environment = {name: "3"}
    wait_briefly(environment)
    assert environment == {name: "3"}


def test_a_command_sets_it_before_torch_is_loaded() -> None:
    code = (
        "import os, sys\n"
        "from squadqa.cli.main import main\n"
        "assert 'torch' not in sys.modules\n"
        "assert main(['--version']) == 0\n"
        "assert 'torch' not in sys.modules\n"
        "print(os.environ['GOMP_SPINCOUNT'])\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert shown.stdout.splitlines()[-1] == BRIEF_WAITS["GOMP_SPINCOUNT"]
