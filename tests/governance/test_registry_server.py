"""The governed registry over HTTP: any client of an MLflow server that was started with its address."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.governance.city import SERVICE, Kept

pytestmark = pytest.mark.slow
NAME = SERVICE.registered_model
PATIENCE_S = 120.0


@pytest.fixture
def address(played_city, tmp_path):
    kept = Kept(played_city.home, tmp_path / "kept")
    (tmp_path / "cwd").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = played_city.home / "mlflow" / "mlflow.db"
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{database}", "--registry-store-uri", f"luvalla+sqlite:///{database}",
    ]  # fmt: skip
    settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(
        command,
        cwd=tmp_path / "cwd",
        env={**os.environ, **settings, "LUVALLA_HOME": str(played_city.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    found = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                urllib.request.urlopen(f"{found}/health", timeout=2).close()  # noqa: S310 - our own server
                break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < until, "the server did not start"
                time.sleep(0.5)
        yield found, database
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)
        kept.put_back()


def asked(address, path, method, body):
    """Status and body of a plain HTTP request."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_no_client_over_http_moves_the_alias_to_what_nobody_certified(address):
    address, database = address
    client = MlflowClient(address)
    first = client.get_model_version(NAME, "1")
    plain = MlflowClient(f"sqlite:///{database}")  # MLflow's server takes local files from a run alone
    second = plain.create_model_version(NAME, first.source, tags=first.tags).version
    with pytest.raises(MlflowException, match="holds no certificate for version 2") as refused:
        client.set_registered_model_alias(NAME, "champion", second)
    assert refused.value.error_code == "PERMISSION_DENIED"
    alias = {"name": NAME, "alias": "champion", "version": str(second)}
    stage = {"name": NAME, "version": str(second), "stage": "Production", "archive_existing_versions": True}
    swap = {"name": NAME, "new_name": "old"}
    for root in ("/api/2.0/mlflow", "/ajax-api/2.0/mlflow"):
        for path, method, body in (
            ("registered-models/alias", "POST", alias),
            ("registered-models/alias", "DELETE", alias),
            ("model-versions/transition-stage", "POST", stage),
            ("registered-models/rename", "POST", swap),
            ("registered-models/delete", "DELETE", {"name": NAME}),
            ("model-versions/delete", "DELETE", {"name": NAME, "version": "1"}),
        ):
            status, said = asked(address, f"{root}/{path}", method, body)
            assert (status, said["error_code"]) == (403, "PERMISSION_DENIED"), (path, said)
    assert str(client.get_model_version_by_alias(NAME, "champion").version) == "1"
    client.set_registered_model_alias(NAME, "champion", "1")
    client.set_registered_model_alias(NAME, "challenger", second)


BROKEN = """
import sys
sys.modules["governance.registry_store"] = None  # what an import that fails leaves behind
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
client = MlflowClient(tracking_uri=sys.argv[1], registry_uri="luvalla+" + sys.argv[1])
try:
    client.set_registered_model_alias(sys.argv[2], "champion", "1")
except MlflowException as error:
    print("refused:", error.message[:60])
"""


def test_a_plug_in_that_cannot_be_imported_lets_nothing_through(played_city):
    database = f"sqlite:///{played_city.home / 'mlflow' / 'mlflow.db'}"
    done = subprocess.run(
        [sys.executable, "-P", "-c", BROKEN, database, NAME], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("refused: Model Registry features are not supported"), (
        done.stdout + done.stderr
    )
