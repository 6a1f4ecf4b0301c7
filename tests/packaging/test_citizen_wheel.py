"""The citizen's wheel: the same tree without machine learning, and complete with what it says it needs."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CITIZEN = ROOT / "packaging" / "citizen"
MACHINE_LEARNING = (
    "numpy",
    "pandas",
    "sklearn",
    "mlflow",
    "shap",
    "fairlearn",
    "great_expectations",
    "pandera",
)


def project(file: Path) -> dict[str, object]:
    return tomllib.loads(file.read_text(encoding="utf-8"))["project"]


def test_what_it_needs_is_a_part_of_what_the_whole_needs() -> None:
    citizen, whole = project(CITIZEN / "pyproject.toml"), project(ROOT / "pyproject.toml")
    assert set(citizen["dependencies"]) <= set(whole["dependencies"])
    for key in ("requires-python", "license", "scripts", "authors"):
        assert citizen[key] == whole[key]
    assert (CITIZEN / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    isolation = ["--no-build-isolation", "--no-index"] if importlib.util.find_spec("hatchling") else []
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *isolation, "-w", folder, CITIZEN],
        check=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def closure(names: set[str]) -> set[str]:
    """The distributions installed here that these need, and they need in turn, extras left out."""
    found: set[str] = set()
    while names - found:
        name = (names - found).pop()
        found.add(name)
        for requirement in importlib.metadata.requires(name) or []:
            needed = re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower()
            if "extra ==" in requirement:
                continue
            try:
                importlib.metadata.distribution(needed)
            except importlib.metadata.PackageNotFoundError:
                continue  # for another platform or Python
            names.add(needed)
    return found


@pytest.fixture(scope="module")
def luvalla(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script in an environment of the wheel and its declared dependencies alone, linked from ours."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    declared = {
        re.match(r"[A-Za-z0-9._-]+", each)[0].lower()
        for each in project(CITIZEN / "pyproject.toml")["dependencies"]
    }
    for name in closure(declared):
        distribution = importlib.metadata.distribution(name)
        for top in {
            file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")
        }:
            link = packages / top
            if not link.exists():
                link.symlink_to(Path(str(distribution.locate_file(top))))
    install = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet"]
    subprocess.run([*install, "--no-deps", "--no-index", "--no-compile", wheel], check=True)
    return folder / "bin" / "luvalla"


def run(program: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_it_holds_consent_and_the_command_line_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"consent", "cli.py"}
    assert not [name for name in names if name.endswith(".pyc")]
    whole = {str(path.relative_to(ROOT)) for path in (ROOT / "consent").rglob("*.py")}
    assert whole <= set(names)


@pytest.mark.slow
def test_it_has_no_machine_learning(luvalla: Path) -> None:
    code = f"import importlib.util as u; print([n for n in {MACHINE_LEARNING} if u.find_spec(n)])"
    found = subprocess.run(
        [luvalla.parent / "python", "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_command_of_another_room_says_what_to_install(luvalla: Path, tmp_path: Path) -> None:
    for command in (("models", "list"), ("demo",), ("board", "inbox"), ("init",)):
        refused = run(luvalla, *command, folder=tmp_path)
        assert refused.returncode == 2
        assert "pip install luvalla" in refused.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_every_command_of_its_own_room_loads(luvalla: Path, tmp_path: Path) -> None:
    code = (
        "import cli, importlib\n"
        "for path, entry in cli.TABLE.items():\n"
        "    module, _, name = entry.target.partition(':')\n"
        "    if module.startswith('consent.'):\n"
        "        getattr(importlib.import_module(module), name)\n"
    )
    loaded = subprocess.run(
        [luvalla.parent / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert loaded.returncode == 0, loaded.stderr
    version = run(luvalla, "--version", folder=tmp_path)
    assert version.stdout.startswith("luvalla-citizen ")
