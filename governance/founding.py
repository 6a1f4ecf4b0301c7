"""`luvalla init`: a home of one's own, made beside and put in place whole, or not at all."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from consent import setup
from consent.errors import ConsentUnavailableError, FoundingUnfinishedError, SignerUnavailableError
from consent.home_place import is_free
from consent.ledger import utc_now
from consent.new_home import Furnishing
from governance import policy as policies
from governance.errors import GovernanceInputError, GovernanceUnavailableError
from governance.evidence import EvidenceStore, digest_of
from governance.house import POLICY_FILE, default_tracking_uri

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from consent.home import Home
    from consent.succession import Succession
    from consent.writing import Writing

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
    signer: str | None = None,
) -> Home:
    """Make a home: keys, trust root, purposes, ledger, policy, evidence, and room for MLflow.

    Everything is made in a folder beside and renamed: a crash leaves no half home under the name. With a signer, a failure
    after its first signature leaves the home at `NAME.founding`, and the same call goes on with that.

    Args:
        path: Where; must not exist, or be a folder that is empty but for the demo's.
        origin: The log's name, such as `city.example/consent`.
        purposes: Purposes file (TOML); the shipped one by default.
        policy: Policy file; the shipped one by default.
        clock: What time it is.
        database: `postgresql://...` of an empty database for the ledger; an SQLite file in the home by default.
        succeeds: The log that the new one takes the place of.
        signer: `unix:/path` of a signer process that has signed nothing yet; a key in the home by default.

    Returns:
        The home.

    Raises:
        GovernanceInputError: There is something at `path` (exit 2).
        GovernanceUnavailableError: It cannot be written there (4).
        PolicyError: The policy is none (2).
        ConsentError: The origin or the purposes are not valid (2); the signer has signed something already (3); it does
            not answer, or the home is not finished (4).
    """
    text = policies.shipped() if policy is None else policy
    agreed = policies.load(text)
    if not is_free(path, {DEMO}):
        message = f"there is something at {path} already"
        raise GovernanceInputError(
            message,
            "name another folder with --home (on a disk of its own, one inside it), or move this one away",
        )
    try:
        return setup.create(
            path,
            origin=origin,
            purposes=shipped_purposes() if purposes is None else purposes,
            clock=clock,
            database=database,
            succeeds=succeeds,
            signer=signer,
            furnishing=_furnishing(text, agreed),
        )
    except (FoundingUnfinishedError, SignerUnavailableError):
        raise
    except ConsentUnavailableError as error:
        # consent's own message may name the folder beside, which nobody asked for.
        cause = error.__cause__
        why = cause.strerror if isinstance(cause, OSError) else error.message
        message = f"cannot make a home at {path}: {why}"
        raise GovernanceUnavailableError(message, "check that the folder above it may be written") from error


def _furnishing(text: bytes, agreed: policies.Policy) -> Furnishing:
    """Governance's own: the policy and its entry, settings, evidence, MLflow."""

    def entries(writing: Writing) -> None:
        body = {"digest": digest_of(text), "name": agreed.name, "version": agreed.version}
        writing.institutional("policy", body)

    def files(beside: Home, path: Path) -> None:
        with beside.config.open("a", encoding="utf-8") as file:
            file.write(SETTINGS)
        policy_file = beside.path / POLICY_FILE
        policy_file.write_bytes(text)
        policy_file.chmod(0o600)
        EvidenceStore(beside.path / "evidence").put(text)
        (beside.path / "mlflow").mkdir(mode=0o700)
        _make_store(beside.path, path)

    def difference(begun: Home) -> str | None:
        return None if (begun.path / POLICY_FILE).read_bytes() == text else "--policy"

    # `luvalla demo` may have been played here before there was a home: it stays where it was.
    return Furnishing(entries, files, difference, frozenset({DEMO}))


def _make_store(beside: Path, path: Path) -> None:
    """MLflow's tables, with artifacts at the home's final place."""
    from models.registry import Registry  # noqa: PLC0415 (MLflow takes seconds to import; only init and versions need it)

    uri = default_tracking_uri(beside)
    Registry(uri, uri, path / "mlflow" / "artifacts")
