"""The directions of the house: imports only point down, and each heavy library has its owners (shared design)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {
    "cli": set(),
    "governance": {"consent", "models", "audits"},
    "consent": set(),
    "models": set(),
    "audits": set(),
}
# Library -> the only modules (or folders, ending in /) that may import it.
OWNERS = {
    "mlflow": {
        "models/registry.py",
        "models/packing.py",
        "governance/registry_store.py",
        "audits/mlflow_evaluator.py",
    },
    "shap": {"models/reasons.py", "audits/explainability.py"},
    "fairlearn": {"audits/fairness.py", "models/mitigation.py"},
    "great_expectations": {"audits/data_quality.py"},
    "pandera": {"models/"},
    "fastapi": {"consent/web/", "governance/web/"},
    "uvicorn": {"consent/web/", "consent/serve_command.py", "governance/web/"},
    # models/registry.py knows only the name of its errors: MLflow lets them through.
    "sqlalchemy": {"consent/", "governance/registry_store.py", "models/registry.py"},
    "alembic": {"consent/migrations/", "consent/setup.py", "consent/migrate.py"},
    "pyspark": {"models/spark.py"},
    "adbc_driver_sqlite": {"consent/bulk.py"},
    "adbc_driver_postgresql": {"consent/bulk.py"},
    "pyarrow": {"audits/prediction_file.py", "consent/bulk.py", "models/", "governance/run.py"},
    "joserfc": {"consent/web/"},
    "pkcs11": {"consent/tlog/pkcs11_key.py"},
}
# Nothing of machine learning or tables may be loaded in a citizen's process.
NOT_IN_CONSENT = {
    "numpy", "pandas", "scipy", "sklearn", "mlflow", "shap", "fairlearn", "great_expectations", "pandera", "statsmodels", "skops", "pyarrow",
}  # fmt: skip
NUMPY_OWNERS = {"consent/bulk.py", "consent/store_bulk.py"}


def modules() -> list[Path]:
    found = [ROOT / "cli.py"]
    for room in ROOMS:
        found += sorted((ROOT / room).rglob("*.py"))
    return [path for path in found if path.exists()]


def imports(path: Path) -> set[str]:
    """Every module name that a file imports, at any depth of the code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            names.add(node.module or "")
    return names


def room_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def owned(relative: str, owners: set[str]) -> bool:
    return any(relative == owner or (owner.endswith("/") and relative.startswith(owner)) for owner in owners)


def test_imports_point_down() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        for name in imports(path)
        if (top := name.partition(".")[0]) in ROOMS
        and top != room_of(path)
        and top not in ROOMS[room_of(path)]
    ]
    assert wrong == []


def test_each_heavy_library_has_its_owners() -> None:
    wrong = [
        f"{relative} imports {name}"
        for path in modules()
        for name in imports(path)
        if (relative := path.relative_to(ROOT).as_posix())
        and (owners := OWNERS.get(name.partition(".")[0])) is not None
        and not owned(relative, owners)
    ]
    assert wrong == []


def test_consent_knows_no_machine_learning() -> None:
    wrong = [
        f"{relative} imports {name}"
        for path in modules()
        if room_of(path) == "consent" and (relative := path.relative_to(ROOT).as_posix()) not in NUMPY_OWNERS
        for name in imports(path)
        if name.partition(".")[0] in NOT_IN_CONSENT
    ]
    assert wrong == []


def test_the_verifier_stands_alone() -> None:
    allowed = set(sys.stdlib_module_names) | {"cryptography"}
    found = {name.partition(".")[0] for name in imports(ROOT / "consent/tlog/verify.py")}
    assert found - allowed == set()


def test_the_log_knows_only_bytes() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "consent/tlog").glob("*.py"))
        for name in imports(path)
        if name.startswith("consent") and not name.startswith(("consent.tlog", "consent.errors"))
    ]
    assert wrong == []


def test_a_room_s_init_holds_a_docstring_and_nothing_else() -> None:
    wrong = []
    for path in modules():
        if path.name == "__init__.py":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            if len(body) != 1 or ast.get_docstring(ast.Module(body=body, type_ignores=[])) is None:
                wrong.append(path.relative_to(ROOT).as_posix())
    assert wrong == []


def test_no_room_has_a_drawer_for_everything() -> None:
    drawers = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert [path for path in modules() if path.name in drawers] == []


# One file by requirement: whoever gets it can check a receipt with nothing else of ours.
LONG_ON_PURPOSE = {"consent/tlog/verify.py"}


def test_no_module_is_longer_than_a_person_reads() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): n
        for path in modules()
        if (n := len(path.read_text().splitlines())) > 400
    }
    assert set(long) - LONG_ON_PURPOSE == set(), long


def test_no_tests_package_shadows_a_room() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def loaded_by(code: str) -> set[str]:
    """The top-level modules a fresh interpreter holds after running some code."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sorted({{m.partition('.')[0] for m in sys.modules}})), file=sys.__stdout__)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT.anchor
    )
    return set(done.stdout.split())


def test_help_loads_no_room() -> None:
    quiet = "import contextlib, io, cli\nwith contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): "
    got = loaded_by(quiet + "cli.main(['--help'])")
    assert got & (set(ROOMS) - {"cli"}) == set()


@pytest.mark.parametrize(
    "module",
    [
        "consent.commands",
        "consent.ledger_commands",
        "consent.verify_command",
        "consent.my_commands",
        "consent.ledger",
    ],
)
def test_a_citizen_s_command_loads_nothing_heavy(module: str) -> None:
    got = loaded_by(f"import {module}")
    assert got & {*NOT_IN_CONSENT, "alembic", "fastapi", "pydantic", "rich"} == set()
