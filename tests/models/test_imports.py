from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import models

HEAVY = ("mlflow", "shap", "fairlearn", "sklearn", "pandera", "pandas", "skops")


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("models.health_benefit", ()),
        ("models.plugins", ()),
        ("models.card", ()),
        ("models.artifact", ()),
        ("models.invented", ()),
        ("models.datasets", ("pandas",)),
        ("models.population", ("pandas", "pandera")),
        ("models.training", ("pandas", "pandera", "sklearn")),
        ("models.mitigation", ("pandas", "sklearn", "fairlearn")),
        ("models.reasons", ("pandas", "sklearn", "shap")),
        ("models.registry", ("pandas", "sklearn", "mlflow", "skops")),
    ],
)
def test_each_module_loads_only_what_it_is_for(module: str, allowed: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))"
    root = Path(models.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert set(done.stdout.split()) <= set(allowed)
