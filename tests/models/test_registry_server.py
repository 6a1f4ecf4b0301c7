"""The same registry over HTTP: a real MLflow server, started in a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models import artifact
from models.errors import UnknownVersionError
from models.health_benefit import SERVICE as HEALTH
from models.registry import Registry
from models.scoring import score

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from models.training import FittedModel

pytestmark = pytest.mark.slow
NAME = HEALTH.registered_model
PATIENCE = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("server")
    (home / "cwd").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            Path(sys.executable).with_name("mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", str(home / "artifacts"),
        ],
        cwd=home / "cwd",
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2).close()  # noqa: S310 - our own server
                break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < until, "the server did not start"
                time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def test_a_version_goes_to_a_server_and_comes_back(
    server: str, fitted: FittedModel, health: pd.DataFrame, tmp_path: Path
) -> None:
    registry = Registry(server)
    version = registry.log_version(HEALTH, fitted, metrics={"auc": 0.8}, tags={"a": "b"})
    assert registry.versions(NAME) == [version]
    copy = registry.download(NAME, version.version, tmp_path)
    assert artifact.digest(copy) == version.digest
    assert np.array_equal(score(artifact.load(copy), HEALTH, health), score(fitted.estimator, HEALTH, health))
    registry.set_alias(NAME, "champion", version.version)
    assert registry.alias(NAME, "champion") == version.version
    registry.log_report(version, {"report.json": b"{}"})
    assert registry.read_report(version, "report.json") == b"{}"
    with pytest.raises(UnknownVersionError):
        registry.version(NAME, "99")
    assert registry.alias(NAME, "other") is None
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("luvalla-")] == [
        copy.parent.name
    ]
