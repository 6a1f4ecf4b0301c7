"""One installation opened whole: ledger, registry, evidence, trust root and the policy in force, together."""

from __future__ import annotations

import secrets
import shutil
import time
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Self

from consent.home import open_home, read_settings
from consent.ledger import Ledger, utc_now
from consent.trust import TrustRoot
from governance import policy as policies
from governance import settings as governance_settings
from governance.cases import Cases
from governance.errors import GovernanceEvidenceError, GovernanceUnavailableError
from governance.evidence import EvidenceStore, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from consent.home import Home
    from consent.trust_chain import Member
    from governance.policy import Policy
    from governance.settings import Settings
    from models.registry import Registry

POLICY_FILE = "policy.toml"
STALE_SECONDS = 24 * 3600
"""Age of a private copy that nobody can be using any more: loading takes seconds, the longest run minutes."""


class House:
    """Everything governance works with; a context manager.

    Args:
        home: The installation's folder.
        settings: From its luvalla.toml.
        ledger: Open; closed with the house.
        clock: What time it is, aware.
    """

    def __init__(self, home: Home, settings: Settings, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self.home = home
        self.settings = settings
        self.ledger = ledger
        self.clock = clock
        self.evidence = EvidenceStore(home.path / "evidence")
        self.cases = Cases(home.path / "cases")

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], datetime] = utc_now, read_only: bool = False) -> Self:
        """Open an installation.

        Args:
            path: LUVALLA_HOME.
            clock: What time it is, aware; for tests and simulations.
            read_only: Nothing will be written.

        Raises:
            HomeMissing: There is none (exit 2).
            GovernanceInputError: luvalla.toml is not as it should be (2).
            ConsentError: The ledger cannot be opened (3 or 4).
        """
        home = open_home(path)
        settings = governance_settings.read(home.config)
        return cls(home, settings, Ledger.open(home, clock=clock, read_only=read_only), clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ledger.close()

    @cached_property
    def registry(self) -> Registry:
        """MLflow; imported only when it is needed, since that takes seconds.

        Raises:
            GovernanceUnavailableError: The home's own database is gone: MLflow would make a new one, and count from 1 (exit 4).
            ModelsError: MLflow cannot be reached, or the address is none (2 or 4).
        """
        own = self.home.path / "mlflow" / "mlflow.db"
        if not self.settings.tracking_uri and not (own.is_file() and own.stat().st_size):
            message = f"the registry's database {own} is missing or empty"
            raise GovernanceUnavailableError(message, "restore it and mlflow/artifacts from a backup")
        tracking = self.settings.tracking_uri or default_tracking_uri(self.home.path)
        return self.registry_at(self.settings.registry_uri or tracking)

    def registry_at(self, registry_uri: str) -> Registry:
        """MLflow with the home's tracking server and another registry.

        Raises:
            ModelsError: MLflow cannot be reached, or the address is none (2 or 4).
        """
        from models.registry import Registry  # noqa: PLC0415

        tracking = self.settings.tracking_uri or default_tracking_uri(self.home.path)
        return Registry(tracking, registry_uri, self.home.path / "mlflow" / "artifacts")

    @property
    def trust_root(self) -> TrustRoot:
        """The trust root in force, its chain checked from the pinned first version. Read anew each time."""
        return TrustRoot.load(self.home.trust_root, read_settings(self.home).trust_root)

    def members(self) -> tuple[Member, ...]:
        """Every term on the board, from the trust root in force."""
        return self.trust_root.board

    def issuers(self) -> tuple[str, ...]:
        """Vkeys that may sign certificates: the log's keys."""
        return tuple(known.key.vkey for known in self.trust_root.log_keys)

    def policy(self) -> Policy:
        """The policy in force: the newest that the ledger records, and only if the file still is that one.

        Raises:
            GovernanceEvidenceError: The ledger records none, or the file was changed after it was recorded (exit 3).
            PolicyError: It is not a policy (2).
        """
        recorded = self.ledger.institutional("policy")
        if not recorded:
            message = "the ledger records no policy: nothing can be certified or run"
            raise GovernanceEvidenceError(message, "record one: `luvalla init` does so for a new home")
        path = self.home.path / POLICY_FILE
        try:
            text = path.read_bytes()
        except OSError as error:
            message = f"cannot read the policy {path}: {error.strerror}"
            raise GovernanceEvidenceError(message, "restore it; its digest stands in the ledger") from error
        expected = recorded[-1].body["digest"]
        if digest_of(text) != expected:
            message = f"the policy {path} was changed: the ledger records {expected}, the file has {digest_of(text)}"
            raise GovernanceEvidenceError(
                message, f"restore it from {self.evidence.folder / str(expected).removeprefix('sha256:')}"
            )
        return policies.load(text)

    def put_report(self, name: str, facts: bytes, page: bytes) -> Path:
        """Lay a report out for people to open: facts and page beside each other; the evidence store keeps what counts.

        Args:
            name: File name without ending.
            facts: The report's JSON.
            page: The same as HTML.

        Returns:
            Path of the page.
        """
        folder = self.home.path / "reports"
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / f"{name}.json").write_bytes(facts)
        path = folder / f"{name}.html"
        path.write_bytes(page)
        return path

    @contextmanager
    def private_folder(self) -> Iterator[Path]:
        """A fresh folder (mode 700) inside the home, gone afterwards: for copies of model artifacts."""
        folder = self.home.path / "work" / secrets.token_hex(8)
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        for left in folder.parent.iterdir():
            # Of a process that was killed: no command keeps a copy for so long.
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def default_tracking_uri(home: Path) -> str:
    """Where the home's own MLflow store lies."""
    return f"sqlite:///{home / 'mlflow' / 'mlflow.db'}"
