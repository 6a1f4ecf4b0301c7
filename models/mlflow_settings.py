"""How MLflow is made to keep still: to be imported before it. It reads its settings once, from the environment."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Telemetry would look up a host on the network at every logging call.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
# A server that is away should be reported in seconds: the default is seven retries with growing pauses, minutes in all.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")

_SERVER_ROOT = "_MLFLOW_SERVER_ARTIFACT_ROOT"
"""MLflow's own variable for the artifact root of a store it opens; without it a new SQLite store's default experiment
points into the current folder."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """MLflow, Alembic and urllib3 log errors only, and warn of nothing, for as long as this lasts."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic", "urllib3")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def artifact_root(root: Path | None) -> Iterator[None]:
    """A store opened within gets this folder as its artifact root."""
    before = os.environ.get(_SERVER_ROOT)
    if root is not None:
        os.environ[_SERVER_ROOT] = root.as_uri()
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_SERVER_ROOT, None)
        else:
            os.environ[_SERVER_ROOT] = before


def shown(text: str) -> str:
    """A text without the users and passwords of the addresses in it, for messages."""
    return re.sub(r"//[^/@\s]*@", "//", text)
