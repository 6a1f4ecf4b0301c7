"""What is on the table about each version: whose work it is, its reports, the ballot, the votes, the certificate.

Only an index. Reports, votes and certificates lie in the evidence store under their digests, and every decision is
recomputed from them: a case that was edited points at evidence that does not fit, and the answer is no.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from governance.ballot import Ballot, read_ballot
from governance.errors import GovernanceEvidenceError, GovernanceInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Case:
    """One version as governance knows it.

    Args:
        service: Service id.
        name: Registered model.
        version: Version there.
        digest: DIGEST of the artifact when it was attached.
        recipe: How it was made.
        seed: Of its training; its cross-fitted audit starts from the same.
        training_run: Run id (hex) of the training use in the ledger; "" for a version trained elsewhere.
        trained_by: Ids of the people who trained it.
        audited_by: Ids of the people who audited it.
        reports: DIGESTs of its audit reports, oldest first.
        ballot: The open or last ballot, as `Ballot.document` wrote it; None before one.
        votes: DIGESTs of the votes on that ballot, in the order of arrival.
        certificate: DIGEST of its newest certificate's envelope; "" before one.
    """

    service: str
    name: str
    version: str
    digest: str
    recipe: str
    seed: int
    training_run: str
    trained_by: tuple[str, ...]
    audited_by: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    ballot: dict[str, Any] | None = None
    votes: tuple[str, ...] = ()
    certificate: str = ""

    def question(self) -> Ballot | None:
        """The ballot on the table, or None.

        Raises:
            EnvelopeError: The case was edited: its ballot is none.
        """
        return None if self.ballot is None else read_ballot(self.ballot)


class Cases:
    """The cases of one home: a JSON file a version, replaced whole, under one lock.

    Contract: `change` reads, applies and writes under an exclusive lock, so that two votes at the same time both count; the
    file is on disk when it returns.

    Args:
        folder: Where the files lie; made (mode 700) with the first case.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, case: Case) -> None:
        """Put a new version on the table.

        Raises:
            GovernanceInputError: It is there already, or its names cannot be file names.
        """
        with self._lock():
            self.check_free(case.service, case.version)
            self._write(self._path(case.service, case.version), case)

    def check_free(self, service: str, version: str) -> None:
        """Refuse a version that is on the table: the registry counts anew after its database was lost.

        Raises:
            GovernanceInputError: It is there already, or its names cannot be file names.
        """
        if self._path(service, version).exists():
            message = f"version {version} of {service} is on the table already"
            raise GovernanceInputError(
                message, "see `luvalla status`; if the registry's database was lost, restore it"
            )

    def get(self, service: str, version: str) -> Case:
        """One version.

        Raises:
            GovernanceInputError: Not on the table; the hint names those that are.
            GovernanceEvidenceError: Its file is not a case.
        """
        path = self._path(service, version)
        if not path.is_file():
            known = [case.version for case in self.all(service)]
            message = f"version '{version}' of '{service}' is not on the table"
            raise GovernanceInputError(
                message,
                f"there are: {', '.join(known)}" if known else f"train one: `luvalla models train {service}`",
            )
        return _read(path)

    def all(self, service: str | None = None) -> list[Case]:
        """Every version on the table, by service and version."""
        files = sorted(self.folder.glob(f"{service or '*'}/*.json")) if self.folder.is_dir() else []
        cases = [_read(path) for path in files]
        return sorted(
            cases, key=lambda case: (case.service, int(case.version) if case.version.isdigit() else 0)
        )

    def change(self, service: str, version: str, edit: Callable[[Case], Case]) -> Case:
        """Apply a change to one case, under the lock.

        Args:
            service: Service id.
            version: Version.
            edit: From the case as it now is, to the case as it shall be.

        Returns:
            The case as written.
        """
        with self._lock():
            case = edit(self.get(service, version))
            self._write(self._path(service, version), case)
            return case

    def _path(self, service: str, version: str) -> Path:
        for what in (service, version):
            if not _NAME.fullmatch(what):
                message = f"'{what[:40]}' cannot name a service or version"
                raise GovernanceInputError(message, "letters, digits, dots, dashes and underscores")
        return self.folder / service / f"{version}.json"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _write(self, path: Path, case: Case) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        beside = path.with_name(f".{secrets.token_hex(8)}")
        with beside.open("x", encoding="utf-8") as file:
            beside.chmod(0o600)
            json.dump(asdict(case), file, ensure_ascii=False, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


def _read(path: Path) -> Case:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        for name in ("trained_by", "audited_by", "reports", "votes"):
            document[name] = tuple(document[name])
        # An unknown or missing key is a TypeError of the dataclass itself.
        return Case(**document)
    except (OSError, ValueError, TypeError, KeyError) as error:
        message = f"{path} is not a case of luvalla"
        raise GovernanceEvidenceError(
            message, "restore it from a backup, or attach the version again"
        ) from error
