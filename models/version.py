"""What the registry says of a model version: names, numbers, tags. No MLflow needed to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGEST_TAG = "luvalla.digest"
DATA_TAG = "luvalla.data"
SERVICE_TAG = "luvalla.service"
RECIPE_TAG = "luvalla.recipe"


@dataclass(frozen=True)
class Version:
    """A registered model version.

    Args:
        name: Registered model, such as ``luvalla-health-benefit``.
        version: As MLflow numbers it, ``"1"``.
        run_id: The MLflow run that made it; empty when it was registered without one.
        digest: ``sha256:`` digest of the artifact folder as it was logged, from the version's tag: a claim, to be checked
            against :func:`models.artifact.digest` of a downloaded copy. Empty when luvalla did not log it.
        tags: The version's tags. Anyone with access to the registry can set them.
    """

    name: str
    version: str
    run_id: str
    digest: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Logged:
    """A model in the tracking server that is no version yet.

    Args:
        name: Registered model that it will be a version of.
        run_id: Its run.
        model_id: MLflow's id of the logged model.
        source: Where its files are, as a version names it.
        digest: ``sha256:`` digest of the artifact folder.
        tags: Tags of the run, and of the version to be.
    """

    name: str
    run_id: str
    model_id: str
    source: str
    digest: str
    tags: Mapping[str, str]
