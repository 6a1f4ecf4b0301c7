"""A signer of one log's checkpoints, apart from the writer: what it answers, and the one file in which it remembers.

`decide` is pure. `Signer.answer` runs it under one lock, stores the new head (write, fsync, rename, fsync of the folder)
and only then lets the signature out. It sees sizes and hashes and nothing else. The requests and answers are text, each
in a frame of its own (consent/signer_server.py); their forms are in docs/ledger/signer.md.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from consent.errors import CheckpointStoreError, ConsentError, NoteError, SignerStateError
from consent.tlog.checkpoint import (
    TreeHead,
    old_size_text,
    open_checkpoint,
    parse_old_size,
    sign_checkpoint,
)
from consent.tlog.merkle import EMPTY_ROOT
from consent.tlog.note import b64, b64_decode
from consent.tlog.verify import VerificationError, verify_consistency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consent.tlog.external import CheckpointStore
    from consent.tlog.note import Signs

PROTOCOL: Final = "luvalla-signer/v1"
MAX_REQUEST_BYTES: Final = 8 * 1024
"""Four short lines, an origin of 200 characters, and 63 lines of 45 bytes; a longer request is not read."""
MAX_STATEMENT_BYTES: Final = 256 * 1024
"""What governance lets a certificate be (governance/envelope.py)."""
STATEMENT_START: Final = b"DSSEv1 28 application/vnd.in-toto+json "
"""DSSE pre-authentication encoding of an in-toto statement: its first line has spaces, so it is no checkpoint's."""
_HINT = "see docs/ledger/signer.md, `The protocol`"


@dataclass(frozen=True)
class SignCheckpoint:
    """A request to sign a head.

    Attributes:
        old_size: The size that the writer believes the signer signed last.
        proof: RFC 9162 consistency proof from it, 32-byte hashes; empty from size 0 and for an equal size.
        head: What is to be signed.
    """

    old_size: int
    proof: tuple[bytes, ...]
    head: TreeHead

    @classmethod
    def parse(cls, text: str) -> SignCheckpoint:
        """Parse what follows the first line; `SignCheckpoint.parse(text).text() == text` for everything accepted.

        Raises:
            NoteError: It is not in its form.
        """
        before, separator, body = text.partition("\n\n")
        if not separator:
            raise NoteError("the request is not an old size, a proof, an empty line and a checkpoint", _HINT)
        return cls(*parse_old_size(before, _HINT), TreeHead.parse(body))

    def text(self) -> str:
        """Return what follows the first line."""
        return f"{old_size_text(self.old_size, self.proof)}\n{self.head.text()}"


@dataclass(frozen=True)
class Refused:
    """Why something is not signed.

    Attributes:
        code: One of `malformed`, `other-log`, `other-root`, `wrong-proof`, `not-a-statement`, `no-statements`.
        reason: The same in plain English.
    """

    code: str
    reason: str


@dataclass(frozen=True)
class OtherSize:
    """The signer signed another size last; the writer can prove that its head continues that one.

    Attributes:
        size: The size.
    """

    size: int


def decide(known: TreeHead, request: SignCheckpoint) -> Refused | OtherSize | None:
    """Decide whether a head may be signed.

    Args:
        known: The head signed last; size 0 when there was none.
        request: What is asked.

    Returns:
        None when it may be signed: it continues `known` with a proof, or it is `known` again.
    """
    head = request.head
    if head.origin != known.origin:
        return Refused("other-log", "this signer signs for another log")
    if head.size == known.size:
        if head.root != known.root:
            return Refused("other-root", f"another root was signed for {known.size} entries")
        # The same again is always the same signature: an answer that was lost is had by asking again.
        return None
    if head.size < known.size or request.old_size != known.size:
        return OtherSize(known.size)
    if known.size == 0:
        # Every log continues the empty one, and nothing can be proved about that (RFC 9162 section 2.1.4).
        return Refused("wrong-proof", "the proof from size 0 is not empty") if request.proof else None
    try:
        verify_consistency(known.size, known.root, head.size, head.root, request.proof)
    except VerificationError as error:
        return Refused("wrong-proof", error.message)
    return None


@dataclass
class Signer:
    """One key and the last head it signed.

    Args:
        key: The log's key; its name is the origin.
        store: Keeps the last signed checkpoint; `Signer.prepare` has filled it.
        statements: Whether in-toto statements (certificates of governance) are signed too.
    """

    key: Signs
    store: CheckpointStore
    statements: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: tuple[bytes, TreeHead] | None = None
    # Also at the start: the process before may have been killed between its rename and the sync of the folder.
    _outcome_unknown: bool = True

    @staticmethod
    def prepare(key: Signs, store: CheckpointStore, head: TreeHead | None = None) -> None:
        """Fill an empty store: once, when the signer is made.

        Args:
            key: The log's key.
            store: Empty.
            head: What it must continue; None: anything, as a new log does.

        Raises:
            CheckpointConflictError: The store holds something.
            CheckpointStoreError: It cannot be written.
            NoteError: The head is of another log.
        """
        start = head or TreeHead(key.name, 0, EMPTY_ROOT)
        store.replace(None, sign_checkpoint(start, key).note.encode())

    def last(self) -> TreeHead:
        """The head signed last.

        Raises:
            SignerStateError: The memory is gone, or not signed by this key.
            CheckpointStoreError: It cannot be read.
        """
        return self._read()[1]

    def answer(self, request: bytes) -> str:
        """Answer one request; whatever it is, the answer is one of the protocol's.

        Args:
            request: A frame's content.
        """
        try:
            return self._answer(request)
        except NoteError as error:
            return _refusal(Refused("malformed", error.message))
        except ConsentError as error:
            return f"failed\n{error.message}\n"

    def _answer(self, request: bytes) -> str:
        try:
            first, separator, rest = request.decode("utf-8").partition("\n")
        except UnicodeDecodeError as error:
            raise NoteError("the request is not UTF-8", _HINT) from error
        if first == f"{PROTOCOL} statement":
            return self._statement(rest)
        if len(request) > MAX_REQUEST_BYTES:
            raise NoteError(f"a request of {len(request)} bytes, at most {MAX_REQUEST_BYTES} are read", _HINT)
        if first == f"{PROTOCOL} checkpoint":
            return self._checkpoint(SignCheckpoint.parse(rest))
        if first == f"{PROTOCOL} last" and separator and not rest:
            with self._lock:
                return f"last {self.key.verifier.vkey}\n\n{self.last().text()}"
        raise NoteError(f"the first line is not `{PROTOCOL}` and checkpoint, last or statement", _HINT)

    def _checkpoint(self, request: SignCheckpoint) -> str:
        with self._lock:
            raw, known = self._read()
            refusal = decide(known, request)
            if isinstance(refusal, OtherSize):
                return f"other-size {refusal.size}\n"
            if refusal is not None:
                return _refusal(refusal)
            note = sign_checkpoint(request.head, self.key).note
            self._keep(raw, note.encode(), request.head)
        return f"signed\n{note.removeprefix(request.head.text() + chr(10))}"

    def _keep(self, old: bytes, new: bytes, head: TreeHead) -> None:
        """Make the head the last one, durably; the signature has not left yet."""
        if old == new and not self._outcome_unknown:
            return
        try:
            self.store.replace(old, new)
        except CheckpointStoreError:
            # It may have been written: the next request reads the file, and asks for it to be made durable.
            self._outcome_unknown = True
            raise
        self._outcome_unknown = False
        self._known = (new, head)

    def _statement(self, rest: str) -> str:
        if not self.statements:
            return _refusal(Refused("no-statements", "this signer signs checkpoints only"))
        message = b64_decode(rest.removesuffix("\n"))
        if not message.startswith(STATEMENT_START) or len(message) > MAX_STATEMENT_BYTES:
            return _refusal(
                Refused("not-a-statement", "the message is no in-toto statement in a DSSE envelope")
            )
        return f"signed\n{b64(self.key.sign(message))}\n"

    def _read(self) -> tuple[bytes, TreeHead]:
        raw = self.store.read()
        if raw is None:
            raise SignerStateError("the signer's memory is not there", _FORGOT)
        if self._known is None or self._known[0] != raw:
            try:
                head = open_checkpoint(raw, self.key.name, lambda _: [self.key.verifier]).head
            except NoteError as error:
                raise SignerStateError(
                    f"the signer's memory is not signed by its key: {error.message}", _FORGOT
                ) from error
            self._known = (raw, head)
        return self._known


_FORGOT = "a signer that forgot must be retired: make a new one with --init, and rotate the log's key to it"


def answer_lines(answer: str, word: str) -> Sequence[str]:
    """The lines after the first of an answer that begins with a word.

    Raises:
        NoteError: The answer does not begin with it, or does not end with a newline.
    """
    first, *lines = answer.split("\n")
    if first != word or not lines or lines[-1]:
        raise NoteError("the answer is not in its form", _HINT)
    return lines[:-1]


def _refusal(refused: Refused) -> str:
    return f"refused {refused.code}\n{refused.reason}\n"
