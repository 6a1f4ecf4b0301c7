"""Who signs a log's checkpoints: a key in the home, or a process apart (consent/signer_client.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from consent.errors import ConfigurationError, RefusedToSignError
from consent.tlog.checkpoint import Checkpoint, sign_checkpoint
from consent.tlog.note import Signs, load_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from consent.signer_client import SignerProcess
    from consent.tlog.checkpoint import TreeHead
    from consent.tlog.note import SigningKey, VerifierKey

SCHEME = "unix:"


class CheckpointSigner(Protocol):
    """Signs heads of one log.

    Contract:
        Order: the caller has committed the entries of every head it asks for, before it asks.
        Retry: a head that was signed before may be asked for again, and gets the same signature; so an answer that was
            lost costs nothing.
        Concurrency: any number of threads and processes.
        Errors: `RefusedToSignError` (exit 3): the head, or the key, is not one to be believed.
            `CheckpointConflictError`: another writer had a newer head signed; read again and try again.
            `SignerUnavailableError` (4): no answer; a signature may have been made, and nobody has it.
    """

    def ready(self, size: int, keys: Collection[VerifierKey], root_at: Callable[[int], bytes]) -> None:
        """Refuse now, before anything is written, what would be refused at the checkpoint.

        Args:
            size: Entries in the log, before the append.
            keys: The log keys that the trust root gives for the next size.
            root_at: Root of the log at a size.

        Raises:
            RefusedToSignError: See the contract.
            SignerUnavailableError: See the contract.
        """

    def sign(
        self,
        head: TreeHead,
        old_size: int,
        keys: Collection[VerifierKey],
        *,
        prove: Callable[[int, int], Sequence[bytes]],
        present: Callable[[], int],
    ) -> Checkpoint:
        """Sign a head.

        Args:
            head: What the log is now.
            old_size: Size of the last checkpoint kept outside the database; 0 for none.
            keys: The log keys that the trust root gives for the head's size.
            prove: The consistency proof between two sizes of at least 1.
            present: The log's size, read again.

        Raises:
            RefusedToSignError: See the contract.
            CheckpointConflictError: See the contract.
            SignerUnavailableError: See the contract.
        """

    def statement_key(self) -> Signs:
        """The log's key for in-toto statements (certificates of governance).

        Raises:
            KeyFileError: There is none in the home.
            SignerUnavailableError: See the contract.
        """


@dataclass
class HomeKey:
    """`CheckpointSigner` with a private key in the home; the ledger's own checks are all that stands before it.

    Args:
        path: The private key's file; read only when something is signed.
        origin: The log's name.
    """

    path: Path
    origin: str
    _key: SigningKey | None = None

    def ready(self, size: int, keys: Collection[VerifierKey], root_at: Callable[[int], bytes]) -> None:
        """Nothing to ask: the last checkpoint outside the database is all that this key knows of the past."""

    def sign(
        self,
        head: TreeHead,
        old_size: int,  # noqa: ARG002 - the contract's; what the log continues was checked by the caller
        keys: Collection[VerifierKey],
        *,
        prove: Callable[[int, int], Sequence[bytes]],  # noqa: ARG002 - the same
        present: Callable[[], int],  # noqa: ARG002 - the same
    ) -> Checkpoint:
        """See `CheckpointSigner`."""
        if self._key is None or self._key.verifier not in keys:
            # Read again also after a rotation, which another process may have made.
            self._key = load_key(self.path, self.origin)
        if self._key.verifier not in keys:
            raise RefusedToSignError(
                "the log's private key is not one that the trust root gives for this size: nobody would believe it",
                "put the right key file back; after a rotation that was interrupted, run `luvalla ledger rotate-key` again",
            )
        return sign_checkpoint(head, self._key)

    def statement_key(self) -> Signs:
        """See `CheckpointSigner`."""
        return load_key(self.path, self.origin)


def signer_of(address: str | None, key_file: Path, origin: str) -> CheckpointSigner:
    """Who signs, by the home's settings.

    Args:
        address: `unix:/path` of a signer process; None: the key in the home.
        key_file: Where the home's key lies; not looked at when there is an address.
        origin: The log's name.

    Raises:
        ConfigurationError: The address is no absolute path of a socket.
    """
    return HomeKey(key_file, origin) if address is None else signer_process(address, origin)


def signer_process(address: str, origin: str) -> SignerProcess:
    """The signer process at an address; nothing is asked yet.

    Raises:
        ConfigurationError: The address is no absolute path of a socket.
    """
    path = address.removeprefix(SCHEME)
    if not address.startswith(SCHEME) or not path.startswith("/") or "\x00" in path:
        raise ConfigurationError(
            f"the signer's address is {address!r}, expected {SCHEME}/path of a Unix socket",
            'write signer = "unix:/run/luvalla-signer/socket" in [consent] of luvalla.toml',
        )
    # Imported late: only a home with a signer pays for the client at start-up.
    from consent.signer_client import SignerProcess  # noqa: PLC0415

    return SignerProcess(path, origin)
