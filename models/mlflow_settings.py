"""How MLflow is made to keep still: to be imported before it. It reads its settings once, from the environment."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from models.errors import (
    AliasRefusedError,
    ModelsError,
    ModelsInputError,
    RegistryUnavailableError,
    UnknownVersionError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def check_place(tracking_uri: str, root: Path | None) -> None:
    """Refuse a SQLite store that MLflow would put, or whose artifacts it would put, where nobody asked for them.

    Raises:
        ModelsInputError: No artifact root, or a database relative to the current folder.
        RegistryUnavailableError: The database's folder is not there.
    """
    if not tracking_uri.startswith("sqlite:"):
        return
    if root is None:
        raise ModelsInputError(
            "A SQLite store was given without an artifact root.",
            "Give the folder that artifacts go to; MLflow would use the current one.",
        )
    if not tracking_uri.startswith("sqlite:////"):
        raise ModelsInputError(
            f"'{tracking_uri}' names a database relative to the current folder, a whole path was expected.",
            "Give it with four slashes: sqlite:////home/me/.luvalla/mlflow.db.",
        )
    database = Path(unquote(urlparse(tracking_uri).path))
    if not database.parent.is_dir():  # MLflow would make the folder, readable by everyone
        raise RegistryUnavailableError(
            f"There is no folder for the database '{database}'.",
            "Make it first, or check the path: `luvalla init`.",
        )


def translated(code: str, text: str, *, name: str, version: str, uri: str) -> ModelsError:
    """What an MLflow failure is called in this room.

    Args:
        code: MLflow's error code.
        text: MLflow's message; its first line is passed on, without passwords.
        name: The registered model that was asked for; empty when none was.
        version: Its version, or an alias.
        uri: The tracking server's address.
    """
    first = shown(text.strip().split("\n", 1)[0])[:300]
    missing = code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND") or (
        code == "INVALID_PARAMETER_VALUE" and re.search(r"not found|must be an integer|does not exist", first)
    )
    if missing and name:
        return UnknownVersionError(
            f"The registry has no version '{version}' of '{name}'.", "See `luvalla status` for those it has."
        )
    if code == "INVALID_PARAMETER_VALUE":
        return ModelsInputError(f"MLflow refuses this: {first}", "Mend what it names.")
    if code == "PERMISSION_DENIED":
        return AliasRefusedError(first, "A version needs a certificate first: `luvalla promote`.")
    return RegistryUnavailableError(
        f"MLflow at {shown(uri)} failed: {first}",
        "Check that the server runs, or that the database is neither locked nor read-only.",
    )
