"""What a decision rests on, kept by digest: reports, policies, votes, certificates; read back only if unchanged."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from typing import TYPE_CHECKING

from governance.errors import GovernanceEvidenceError, GovernanceInputError

if TYPE_CHECKING:
    from pathlib import Path

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(content: bytes) -> str:
    """The digest under which a content is kept.

    Args:
        content: Any bytes.

    Returns:
        `sha256:` and 64 lower-case hexadecimal digits.
    """
    return "sha256:" + hashlib.sha256(content).hexdigest()


class EvidenceStore:
    """A folder of files named by their digest. Writing is idempotent and durable; reading checks.

    Contract: `put` returns only after the bytes and their name are on disk (write beside, fsync, rename, fsync of the
    folder), so a digest may be written to the ledger right after. Two writers of the same content do not disturb each
    other. Nothing is ever overwritten or deleted here.

    Args:
        folder: Where the files lie; made (mode 700) at the first `put`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes) -> str:
        """Keep a content.

        Args:
            content: The bytes to keep.

        Returns:
            Its digest.
        """
        digest = digest_of(content)
        path = self._path(digest)
        if path.exists():
            return digest
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self.folder / f".{secrets.token_hex(8)}"
        with beside.open("xb") as file:
            beside.chmod(0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync_folder(self.folder)
        return digest

    def get(self, digest: str) -> bytes:
        """Read a content back.

        Args:
            digest: As `put` returned it.

        Returns:
            The bytes.

        Raises:
            GovernanceInputError: The digest is malformed.
            GovernanceEvidenceError: Nothing is kept under it, or what is kept no longer has that digest.
        """
        path = self._path(digest)
        if not path.is_file():
            message = f"nothing is kept under {digest}"
            raise GovernanceEvidenceError(
                message, f"restore the file {path.name} in {self.folder} from a backup"
            )
        content = path.read_bytes()
        if digest_of(content) != digest:
            message = f"the evidence kept under {digest} was changed: it now has {digest_of(content)}"
            raise GovernanceEvidenceError(
                message, "restore it from a backup; nothing that rests on it is valid"
            )
        return content

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and self._path(digest).is_file()

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            message = (
                f"not a digest: expected 'sha256:' and 64 hexadecimal digits, got {len(digest)} characters"
            )
            raise GovernanceInputError(message)
        return self.folder / digest.removeprefix("sha256:")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
