"""The writer's side of the signer process: asks over a Unix socket, and believes nothing that the trust root does not."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from consent.errors import (
    CheckpointConflictError,
    ConsentUnavailableError,
    KeyFileError,
    NoteError,
    RefusedToSignError,
    SignerUnavailableError,
)
from consent.signer_server import LENGTH_BYTES, MAX_ANSWER_BYTES, frame
from consent.tlog.checkpoint import Checkpoint, TreeHead, open_checkpoint, parse_decimal
from consent.tlog.note import VerifierKey, b64, b64_decode
from consent.tlog.signer import PROTOCOL, SignCheckpoint, answer_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

SECONDS: Final = 5.0
"""How long the whole of one answer may take; a signer of its own on the same machine needs about a millisecond."""
_TRIES: Final = 3
"""The guessed size, the size that the signer names, and once more where somebody else was faster."""
_BEHIND: Final = (
    "the database was restored from an older copy or rewritten, or another house uses this signer: put the newer "
    "database back; see docs/ledger/signer.md, `When it refuses`"
)
_KEY: Final = (
    "name the right socket as `signer` in [consent] of luvalla.toml, or rotate the log's key to this signer "
    "(`luvalla ledger rotate-key --signer`)"
)
_FORM: Final = "whatever listens there is no luvalla signer of this version: check `signer` in luvalla.toml"


@dataclass
class SignerProcess:
    """A log's checkpoints signed by `luvalla ledger signer`; see `signing.CheckpointSigner` for the contract.

    Args:
        path: The signer's Unix socket.
        origin: The log's name.
        seconds: How long one answer may take.
    """

    path: str
    origin: str
    seconds: float = SECONDS
    _agreed: TreeHead | None = field(default=None, repr=False)

    def ready(self, size: int, keys: Collection[VerifierKey], root_at: Callable[[int], bytes]) -> None:
        """See `signing.CheckpointSigner`; one question to the signer."""
        key, last = self.last()
        self._check_key(key, keys)
        if last.size > size:
            raise RefusedToSignError(
                f"the log has {size} entries, the signer at {self.path} has signed {last.size}", _BEHIND
            )
        if last.size and last != self._agreed:
            if root_at(last.size) != last.root:
                raise _other_root(self.path, last.size)
            self._agreed = last

    def sign(
        self,
        head: TreeHead,
        old_size: int,
        keys: Collection[VerifierKey],
        *,
        prove: Callable[[int, int], Sequence[bytes]],
        present: Callable[[], int],
    ) -> Checkpoint:
        """See `signing.CheckpointSigner`."""
        for _ in range(_TRIES):
            proof = tuple(prove(old_size, head.size)) if 0 < old_size < head.size else ()
            answer = self._ask(f"checkpoint\n{SignCheckpoint(old_size, proof, head).text()}")
            first = answer.partition("\n")[0]
            if first == "signed":
                return self._opened(head, answer, keys)
            self._raise_unless(first.startswith("other-size "), answer)
            try:
                old_size = parse_decimal(first.removeprefix("other-size "))
            except NoteError as error:
                raise self._strange(error) from error
            if old_size > head.size:
                # Only what is committed is ever asked for, so a smaller log than that has lost entries.
                if old_size > present():
                    raise RefusedToSignError(
                        f"the log has {head.size} entries, the signer at {self.path} has signed {old_size}",
                        _BEHIND,
                    )
                raise CheckpointConflictError("another process had a newer checkpoint signed", "try again")
        raise CheckpointConflictError("other processes had newer checkpoints signed meanwhile", "try again")

    def last(self) -> tuple[VerifierKey, TreeHead]:
        """The signer's public key, and the head it signed last (size 0: none yet).

        Raises:
            SignerUnavailableError: No answer, or none in its form (exit 4).
            RefusedToSignError: It signs for another log (3).
        """
        answer = self._ask("last\n")
        before, _, body = answer.partition("\n\n")
        self._raise_unless(before.startswith("last "), answer)
        try:
            key, head = VerifierKey.parse(before.removeprefix("last ")), TreeHead.parse(body)
        except (NoteError, KeyFileError) as error:
            raise self._strange(error) from error
        if key.name != self.origin or head.origin != self.origin:
            raise RefusedToSignError(f"the signer at {self.path} signs for another log", _KEY)
        return key, head

    def statement_key(self) -> StatementKey:
        """The log's key for in-toto statements, which a signer started with `--statements` signs too."""
        return StatementKey(self, self.last()[0])

    def sign_statement(self, message: bytes, key: VerifierKey) -> bytes:
        """The 64-byte signature over a statement's DSSE encoding, verified.

        Raises:
            SignerUnavailableError: No answer, or none in its form (exit 4).
            RefusedToSignError: The signer does not sign statements, or another key answered (3).
        """
        answer = self._ask(f"statement\n{b64(message)}\n")
        self._raise_unless(answer.startswith("signed\n"), answer)
        try:
            [line] = answer_lines(answer, "signed")
            signature = b64_decode(line)
        except (NoteError, ValueError) as error:
            raise self._strange(error) from error
        if not key.verifies(signature, message):
            raise RefusedToSignError(
                f"the signer at {self.path} answered with another key than its own", _KEY
            )
        return signature

    def _opened(self, head: TreeHead, answer: str, keys: Collection[VerifierKey]) -> Checkpoint:
        note = f"{head.text()}\n{answer.removeprefix('signed' + chr(10))}".encode()
        try:
            made = open_checkpoint(note, self.origin, lambda _: keys)
        except NoteError as error:
            raise RefusedToSignError(
                f"what the signer at {self.path} answered is not signed by a key that the trust root gives for this size",
                _KEY,
            ) from error
        self._agreed = head
        return made

    def _check_key(self, key: VerifierKey, keys: Collection[VerifierKey]) -> None:
        if key not in keys:
            raise RefusedToSignError(
                f"the signer at {self.path} has a key that the trust root does not give for this size", _KEY
            )

    def _raise_unless(self, expected: bool, answer: str) -> None:  # noqa: FBT001 - reads as a sentence
        if expected:
            return
        first, _, rest = answer.partition("\n")
        reason = rest.strip()
        if first == "refused other-root":
            raise RefusedToSignError(f"the signer at {self.path} refuses: {reason}", _BEHIND)
        if first == "refused wrong-proof":
            raise RefusedToSignError(
                f"the signer at {self.path} refuses: this log does not continue what it signed last ({reason})",
                _BEHIND,
            )
        if first == "refused no-statements":
            raise RefusedToSignError(
                f"the signer at {self.path} refuses: {reason}",
                "start the signer with --statements to certify here",
            )
        if first.startswith("refused "):
            raise RefusedToSignError(f"the signer at {self.path} refuses: {reason}", _KEY)
        if first == "failed":
            raise SignerUnavailableError(
                f"the signer at {self.path} failed: {reason}", "look at its own messages; then try again"
            )
        raise self._strange(None)

    def _ask(self, request: str) -> str:
        """One question on a connection of its own.

        Raises:
            SignerUnavailableError: No whole answer in time; the head may have been signed and kept all the same.
        """
        until = time.monotonic() + self.seconds
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(self.seconds)
                connection.connect(self.path)
                connection.sendall(frame(f"{PROTOCOL} {request}".encode()))
                answer = self._read(connection, until)
        except (OSError, ValueError) as error:
            what = (
                "does not answer in time"
                if isinstance(error, TimeoutError)
                else f"cannot be reached: {_said(error)}"
            )
            raise SignerUnavailableError(
                f"the signer at {self.path} {what}",
                "start it (`luvalla ledger signer`), or check the socket's owner and mode; then repeat the same "
                "request: nothing is released before it has signed",
            ) from error
        try:
            return answer.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._strange(error) from error

    def _read(self, connection: socket.socket, until: float) -> bytes:
        content = b""
        for count in (LENGTH_BYTES, None):
            wanted = int.from_bytes(content, "big") if count is None else count
            if wanted > MAX_ANSWER_BYTES:
                raise self._strange(None)
            content = b""
            while len(content) < wanted:
                connection.settimeout(max(until - time.monotonic(), 0.001))
                part = connection.recv(wanted - len(content))
                if not part:
                    raise ConnectionError("it ended the connection before its answer was whole")
                content += part
        return content

    def _strange(self, error: Exception | None) -> ConsentUnavailableError:
        detail = f": {error.message}" if isinstance(error, NoteError | KeyFileError) else ""
        return SignerUnavailableError(f"the signer at {self.path} answered in another form{detail}", _FORM)


@dataclass(frozen=True)
class StatementKey:
    """`note.Signs` by a signer process, for in-toto statements only."""

    process: SignerProcess
    verifier: VerifierKey

    @property
    def name(self) -> str:
        """The log's origin."""
        return self.verifier.name

    def sign(self, message: bytes) -> bytes:
        """See `SignerProcess.sign_statement`."""
        return self.process.sign_statement(message, self.verifier)


def _other_root(path: str, size: int) -> RefusedToSignError:
    return RefusedToSignError(
        f"the first {size} entries do not have the root that the signer at {path} has signed for them",
        _BEHIND,
    )


def _said(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
