from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from models import plugins
from models.errors import UnknownServiceError
from models.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

LUVALLA = Path(sys.executable).with_name("luvalla")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Install a package with one entry point: a module and its metadata on the path."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def do(package: str, point: str, code: str) -> None:
        monkeypatch.delitem(sys.modules, package, raising=False)
        importlib.invalidate_caches()
        (tmp_path / f"{package}.py").write_text(code)
        metadata = tmp_path / f"{package}-1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text(f"[luvalla.services]\n{point} = {package}:SERVICE\n")

    return do


GOOD = "from dataclasses import replace\nfrom models.youth_exclusion import SERVICE\nSERVICE = replace(SERVICE, id='swimming')\n"


def test_the_two_services_of_the_house_are_installed() -> None:
    assert list(plugins.services()) == ["health-benefit", "youth-talk"]
    assert plugins.discover()[1] == ()


def test_another_packages_service_is_found(install) -> None:
    install("swim", "swimming", GOOD)
    assert list(plugins.services()) == ["health-benefit", "swimming", "youth-talk"]
    assert isinstance(plugins.service("swimming"), Service)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module_anywhere", "cannot be imported: ModuleNotFoundError"),
        ("1 / 0", "cannot be imported: ZeroDivisionError"),
        ("x = 1", "cannot be imported: AttributeError"),
        ("SERVICE = 'swimming'", "gave a str, a models.service.Service was expected"),
        (GOOD.replace("'swimming'", "'diving'"), "gave a service that calls itself 'diving'"),
    ],
)
def test_a_broken_plug_in_is_reported_and_leaves_the_others_alone(install, code: str, reason: str) -> None:
    install("swim", "swimming", code)
    found, broken = plugins.discover()
    assert list(found) == ["health-benefit", "youth-talk"]
    assert [(each.name, each.distribution) for each in broken] == [("swimming", "swim")]
    assert reason in broken[0].reason
    with pytest.raises(UnknownServiceError, match="'swimming' of the package 'swim' is broken"):
        plugins.service("swimming")


def test_nobody_takes_over_a_service_of_the_house(install) -> None:
    install("aaa", "health-benefit", GOOD.replace("'swimming'", "'health-benefit', capacity=0.9"))
    assert plugins.service("health-benefit").capacity == 0.20
    assert [each.distribution for each in plugins.discover()[1]] == ["aaa"]


def test_an_unknown_service_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownServiceError, match="no service 'health-benfit'") as caught:
        plugins.service("health-benfit")
    assert caught.value.hint == "Did you mean 'health-benefit'?"
    assert caught.value.exit_code == 2
    with pytest.raises(UnknownServiceError) as caught:
        plugins.service("zzz")
    assert caught.value.hint == "Installed: health-benefit, youth-talk."


def test_the_list_goes_on_when_a_plug_in_is_broken(install) -> None:
    install("swim", "swimming", "1 / 0")
    done = subprocess.run([LUVALLA, "models", "list", "--json"], capture_output=True, text=True, check=True)
    listed = json.loads(done.stdout)
    assert [each["id"] for each in listed["services"]] == ["health-benefit", "youth-talk"]
    assert [each["name"] for each in listed["broken"]] == ["swimming"]
    assert (
        "warning: service 'swimming' of 'swim' left out: cannot be imported: ZeroDivisionError" in done.stderr
    )


def test_the_list_names_each_recipe_and_loads_no_machine_learning() -> None:
    done = subprocess.run([LUVALLA, "models", "list"], capture_output=True, text=True, check=True)
    assert "need-equal-tpr" in done.stdout
    assert "leaving-boosted" in done.stdout
    code = (
        "import sys; from models.commands import list_services; list_services(['--json'], standalone_mode=False);"
        "print([m for m in ('numpy', 'pandas', 'sklearn', 'mlflow', 'shap', 'pandera') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_a_strangers_models_folder_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("raise SystemExit('a stranger')")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [LUVALLA, "models", "list"], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    )
    assert "health-benefit" in done.stdout
