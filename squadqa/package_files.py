"""Places of the files that come with squadqa: configurations, sample data and ready models.

A checkout, or an editable installation of one, has them next to the package, as `configs` and
`data/sample`. Any other installation has copies inside the package: `package_dir` in setup.cfg puts
them there.
"""

from pathlib import Path

from squadqa.run_files import CONFIG

CONFIGS = Path("configs")
"""First part of configurations' paths, in a checkout and on a command line."""

SAMPLE = Path("data/sample")
"""First part of the paths of the sample data: train.json and dev.json."""

_PACKAGE = Path(__file__).parent
READY = _PACKAGE / "ready"
"""Folder of the ready models, each a model folder (see `squadqa.inference.run_folder`)."""

READY_MODEL = "house"
"""The ready model that answers where none is named."""

_INSTALLED = {CONFIGS: _PACKAGE / "configs", SAMPLE: _PACKAGE / "bundled" / "sample"}


def configs_folder() -> Path:
    """Return the folder of the configurations that come with squadqa."""
    return _folder(CONFIGS)


def is_part(path: str | Path) -> bool:
    """Return whether a configuration is one of those that come with squadqa in folders of configs.

    Args:
        path: Its file, found as by `locate`.
    """
    folder, file = configs_folder().resolve(), locate(path).resolve()
    return file.is_relative_to(folder) and file.parent != folder


def locate(path: str | Path) -> Path:
    """Find a file by the path that it has in a checkout, from any working folder.

    Args:
        path: Such as "configs/drqa.yaml" or "data/sample"; relative to the working folder.

    Returns:
        The same path if it exists, or if squadqa comes with nothing of that name; otherwise the
        file or folder that comes with squadqa.
    """
    path = Path(path)
    if ".." not in path.parts and not path.exists():
        for begin in _INSTALLED:
            if path.is_relative_to(begin):
                shipped = _folder(begin) / path.relative_to(begin)
                return shipped if shipped.exists() else path
    return path


def short_name(path: str | Path) -> str:
    """Return the path that a file has in a checkout: the inverse of `locate`.

    Args:
        path: A file's path.

    Returns:
        A path such as "configs/drqa.yaml" for a file that comes with squadqa; other paths
        unchanged.
    """
    path = Path(path)
    for begin in _INSTALLED:
        if path.is_relative_to(folder := _folder(begin)):
            return (begin / path.relative_to(folder)).as_posix()
    return str(path)


def ready_models() -> list[str]:
    """List the names of the ready models that come with squadqa."""
    return sorted(path.parent.name for path in READY.glob(f"*/{CONFIG}"))


def ready_model(name: str | Path) -> Path | None:
    """Find a ready model by its name; a file or folder of that name comes first.

    Args:
        name: Such as "house".

    Returns:
        Its folder; None if there is none, or if the working folder has something of that name.
    """
    is_ready = str(name) in ready_models() and not Path(name).exists()
    return READY / name if is_ready else None


def _folder(begin: Path) -> Path:
    installed = _INSTALLED[begin]
    return installed if installed.is_dir() else _PACKAGE.parent / begin
