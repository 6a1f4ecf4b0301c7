"""`luvalla init`: a home of one's own, made beside and put in place whole, or not at all."""

from __future__ import annotations

import secrets
import shutil
from importlib import resources
from typing import TYPE_CHECKING

from consent import setup
from consent.errors import ConsentUnavailableError
from consent.home import Home, open_home
from consent.ledger import Ledger, utc_now
from governance import policy as policies
from governance.errors import GovernanceInputError, GovernanceUnavailableError
from governance.evidence import EvidenceStore
from governance.house import POLICY_FILE, default_tracking_uri

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from consent.succession import Succession

DEMO = "demo"
"""Where `luvalla demo` plays, inside the home's folder."""

SETTINGS = """
[models]
# Any MLflow server. Empty: an SQLite file and a folder of artifacts inside this home.
tracking_uri = ""
registry_uri = ""

[audits]

[governance]
# Share of the people scored and not selected that is drawn for human review at every run.
review_share = 0.02

[governance.owners]
# Board-member ids of those who own a service; they may not vote on it:
# health-benefit = ["aino"]
"""


def shipped_purposes() -> str:
    """The purposes and notices that ship with luvalla's services (TOML)."""
    return resources.files("governance").joinpath("templates", "purposes.toml").read_text(encoding="utf-8")


def found(
    path: Path,
    *,
    origin: str,
    purposes: str | None = None,
    policy: bytes | None = None,
    clock: Callable[[], datetime] = utc_now,
    database: str | None = None,
    succeeds: Succession | None = None,
) -> Home:
    """Make a home: keys, trust root, purposes, ledger, policy, evidence, and room for MLflow.

    Everything is made in a folder beside and renamed: a crash leaves no half home under the name.

    Args:
        path: Where; must not exist, or be a folder that is empty but for the demo's.
        origin: The log's name, such as `city.example/consent`.
        purposes: Purposes file (TOML); the shipped one by default.
        policy: Policy file; the shipped one by default.
        clock: What time it is.
        database: `postgresql://...` of an empty database for the ledger; an SQLite file in the home by default.
        succeeds: The log that the new one takes the place of.

    Returns:
        The home.

    Raises:
        GovernanceInputError: There is something at `path` (exit 2).
        GovernanceUnavailableError: It cannot be written there (4).
        PolicyError: The policy is none (2).
        ConsentError: The origin or the purposes are not valid (2).
    """
    text = policies.shipped() if policy is None else policy
    agreed = policies.load(text)
    if path.exists() and (not path.is_dir() or {entry.name for entry in path.iterdir()} - {DEMO}):
        message = f"there is something at {path} already"
        raise GovernanceInputError(message, "name another folder with --home, or move this one away")
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        setup.create(
            beside,
            origin=origin,
            purposes=shipped_purposes() if purposes is None else purposes,
            clock=clock,
            database=database,
            succeeds=succeeds,
        )
        _furnish(beside, path, text, agreed, clock)
        if (path / DEMO).exists():
            # `luvalla demo` may have been played here before there was a home: it stays where it was.
            (path / DEMO).rename(beside / DEMO)
        beside.rename(path)
    except (OSError, ConsentUnavailableError) as error:
        # consent's own message names the folder beside, which nobody asked for.
        cause = error if isinstance(error, OSError) else error.__cause__
        why = cause.strerror if isinstance(cause, OSError) else str(error)
        message = f"cannot make a home at {path}: {why}"
        raise GovernanceUnavailableError(message, "check that the folder above it may be written") from error
    finally:
        if (beside / DEMO).exists():
            (beside / DEMO).rename(path / DEMO)
        shutil.rmtree(beside, ignore_errors=True)
    return open_home(path)


def _furnish(
    beside: Path, path: Path, text: bytes, agreed: policies.Policy, clock: Callable[[], datetime]
) -> None:
    """Add governance's own: settings, policy with its entry, evidence, MLflow."""
    home = Home(beside)
    with home.config.open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    policy_file = beside / POLICY_FILE
    policy_file.write_bytes(text)
    policy_file.chmod(0o600)
    digest = EvidenceStore(beside / "evidence").put(text)
    with Ledger.open(home, clock=clock) as ledger:
        ledger.append_institutional(
            "policy",
            {"digest": digest, "name": agreed.name, "version": agreed.version},
            request_id=f"policy {digest}",
        )
        ledger.checkpoint()
    (beside / "mlflow").mkdir(mode=0o700)
    _make_store(beside, path)


def _make_store(beside: Path, path: Path) -> None:
    """MLflow's tables, with artifacts at the home's final place."""
    from models.registry import Registry  # noqa: PLC0415 (MLflow takes seconds to import; only init and versions need it)

    uri = default_tracking_uri(beside)
    Registry(uri, uri, path / "mlflow" / "artifacts")
