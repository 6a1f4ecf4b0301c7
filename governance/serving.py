"""Whether a version may become the one that runs: what the governed registry asks before an alias moves. Knows no MLflow.

Asked anew each time, of the ledger and the artifact: a tag, a case's file and an earlier answer are not believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from governance.certificate import Invalid
from governance.certified import check_certificate, subject_of
from governance.house import House
from governance.promotion import CHAMPION
from models import plugins

if TYPE_CHECKING:
    from pathlib import Path

PRODUCTION = "Production"
"""The stage that serves, in MLflow's older way of saying so."""


def is_governed_alias(alias: str) -> bool:
    """Whether an alias is the governed one, in whatever case it is written."""
    return alias.strip().lower() == CHAMPION


def is_governed_model(home: Path, name: str) -> bool:
    """Whether a model's alias is governed: every model's is, unless luvalla.toml exempts its name.

    Raises:
        GovernanceError: luvalla.toml cannot be read or is not as it should be.
        ConsentError: There is no home.
    """
    from consent.home import open_home  # noqa: PLC0415 - with the home, and not before
    from governance import settings  # noqa: PLC0415 - the same

    return name not in settings.read(open_home(home).config).ungoverned


def why_not(home: Path, name: str, version: str, registry_uri: str) -> Invalid | None:
    """Why a version may not serve, now; None if it may.

    The artifact is copied into a private folder and hashed; the certificate is looked up in the ledger and verified as every run
    does.

    Args:
        home: The installation's folder.
        name: Registered model.
        version: Its version.
        registry_uri: The registry that is asked: its version, which may be another than the home's own of that number.

    Raises:
        GovernanceError: The evidence is not as it was, or cannot be reached.
        ConsentError: The ledger cannot be opened.
        ModelsError: The artifact cannot be reached, or is refused.
    """
    services = [service for service in plugins.services().values() if service.registered_model == name]
    if not services:
        return Invalid(
            "service",
            f"no installed service is served by the registered model '{name}'",
            "install the service, or name the model under `ungoverned` in [governance] of luvalla.toml",
        )
    found: Invalid | None = None
    with House.open(home, read_only=True) as house, house.private_folder() as folder:
        copy = house.registry_at(registry_uri).download(name, version, folder)
        for service in services:
            held = check_certificate(house, subject_of(house, service, name, version, copy))
            if not isinstance(held, Invalid):
                return None
            found = found or held
    return found
