"""Versions in MLflow: the only door of this room to the registry. Nothing is ever written to the current folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from models.service import Service
    from models.training import FittedModel


@dataclass(frozen=True)
class Version:
    """A registered model version.

    Args:
        name: Registered model, such as ``luvalla-health-benefit``.
        version: As MLflow numbers it, ``"1"``.
        run_id: The MLflow run that made it.
        digest: ``sha256:`` digest of the artifact folder (:func:`models.artifact.digest`), as logged.
        tags: The version's tags.
    """

    name: str
    version: str
    run_id: str
    digest: str
    tags: Mapping[str, str]


class Registry:
    """An MLflow tracking server and registry, by URI.

    Args:
        tracking_uri: Any MLflow tracking URI; ``sqlite:///...`` by default of the home.
        registry_uri: The same, or one with a governed scheme.
        artifact_root: Folder for artifacts of experiments made here (ignored when the server has its own).
    """

    def __init__(self, tracking_uri: str, registry_uri: str | None = None, artifact_root: Path | None = None) -> None:
        raise NotImplementedError

    def log_version(
        self,
        service: Service,
        fitted: FittedModel,
        *,
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        input_example: pd.DataFrame | None = None,
    ) -> Version:
        """Log run, parameters, metrics and model, and register the next version."""
        raise NotImplementedError

    def versions(self, name: str) -> list[Version]:
        """All versions of a registered model, oldest first; an unknown name has none."""
        raise NotImplementedError

    def version(self, name: str, version: str) -> Version:
        """One version. Raises UnknownVersion (2)."""
        raise NotImplementedError

    def download(self, name: str, version: str, into: Path) -> Path:
        """A fresh private copy (mode 700) of the artifact in `into`; returns its folder."""
        raise NotImplementedError

    def log_report(self, version: Version, files: Mapping[str, bytes], *, folder: str = "audit") -> None:
        """Put files beside the version, in its run's artifacts under `folder`."""
        raise NotImplementedError

    def set_tag(self, name: str, version: str, key: str, value: str) -> None:
        """Tag a version."""
        raise NotImplementedError

    def alias(self, name: str, alias: str) -> str | None:
        """The version the alias points at, or None."""
        raise NotImplementedError

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Move the alias. Raises AliasRefused (1) when a governed registry says no."""
        raise NotImplementedError
