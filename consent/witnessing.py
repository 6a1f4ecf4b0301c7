"""Asking witnesses to cosign a checkpoint (C2SP tlog-witness, the log's side)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from consent.errors import (
    CheckpointConflictError,
    ConsentInputError,
    ConsentUnavailableError,
    NoteError,
    RefusedToSignError,
)
from consent.tlog.checkpoint import parse_decimal
from consent.tlog.cosignature import cosignatures_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from consent.tlog.checkpoint import TreeHead
    from consent.tlog.cosignature import WitnessKey
    from consent.tlog.note import Note, NoteSignature

SECONDS = 5.0
"""How long one witness may take for each step of its answer; the next is asked then."""
_TRIES = 3
"""The guessed size, the size that the witness names, and once more where somebody else was faster."""
_OK, _CONFLICT, _UNPROCESSABLE = 200, 409, 422
_SIZE_TYPE = "text/x.tlog.size"
_FORKED = (
    "the ledger was restored from an older copy or rewritten: follow docs/ledger/drills.md, `A lossy restore`; "
    "if the witness is wrong, take its address out of luvalla.toml and tell whoever runs it"
)


class WitnessAnswer(Protocol):
    """What a witness said, as `fetch.Answer` spells it."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def content_type(self) -> str:
        """Media type."""

    @property
    def body(self) -> bytes:
        """The body."""


def ask_over_http(url: str, body: bytes) -> WitnessAnswer:
    """Send one request `add-checkpoint`.

    Raises:
        ConsentUnavailableError: No answer; the witness may have cosigned all the same.
        ConsentInputError: The address is refused.
    """
    from consent import fetch  # noqa: PLC0415 - only a home with witnesses pays for an HTTP client at start-up

    address = fetch.checked_address(url) + "/add-checkpoint"
    return fetch.post(address, body, what=f"the witness {url}", seconds=SECONDS)


@dataclass(frozen=True)
class Witnesses:
    """Whom to ask, and how.

    Attributes:
        urls: Submission prefixes of the witnesses.
        ask: Sends a body to an address and returns the answer.
    """

    urls: tuple[str, ...]
    ask: Callable[[str, bytes], WitnessAnswer] = ask_over_http


NO_WITNESSES = Witnesses(())


@dataclass(frozen=True)
class Collected:
    """What asking brought.

    Attributes:
        signatures: Valid cosignature lines.
        failures: Why the others gave none, in plain English.
    """

    signatures: tuple[NoteSignature, ...]
    failures: tuple[str, ...]


def collect(
    witnesses: Witnesses,
    note: Note,
    head: TreeHead,
    before: int,
    keys: Iterable[WitnessKey],
    *,
    prove: Callable[[int, int], Sequence[bytes]],
    newest: Callable[[], int],
) -> Collected:
    """Ask every witness for its cosignature of a checkpoint, one after the other.

    Args:
        witnesses: Whom to ask.
        note: The checkpoint.
        head: What it says.
        before: The size that they probably cosigned last.
        keys: The witnesses that count.
        prove: The consistency proof between two sizes of at least 1.
        newest: The size of the newest checkpoint that this log signed, read again.

    Raises:
        RefusedToSignError: A witness has cosigned a log that ours does not continue.
        CheckpointConflictError: Another process signed a newer checkpoint meanwhile.
    """
    known = tuple(keys)
    signatures: list[NoteSignature] = []
    failures: list[str] = []
    for url in witnesses.urls:
        try:
            found = _ask(witnesses, url, note, head, before, known, prove, newest)
        except (ConsentUnavailableError, ConsentInputError, NoteError) as error:
            failures.append(error.message)
            continue
        if not found:
            failures.append(f"the witness {url} signed with a key that the trust root does not name")
        signatures += found
    return Collected(tuple(signatures), tuple(failures))


def _ask(
    witnesses: Witnesses,
    url: str,
    note: Note,
    head: TreeHead,
    old: int,
    keys: Sequence[WitnessKey],
    prove: Callable[[int, int], Sequence[bytes]],
    newest: Callable[[], int],
) -> tuple[NoteSignature, ...]:
    # Imported late for the same reason as the HTTP client: it brings the parser of requests and SQLite.
    from consent.tlog.witness import AddCheckpoint  # noqa: PLC0415

    for _ in range(_TRIES):
        proof = tuple(prove(old, head.size)) if 0 < old < head.size else ()
        answer = witnesses.ask(url, AddCheckpoint(old, proof, note).encode())
        if answer.status == _OK:
            return cosignatures_in(answer.body, note, keys)
        if answer.status == _UNPROCESSABLE:
            raise RefusedToSignError(
                f"the witness {url} has cosigned another log of {old} entries than ours", _FORKED
            )
        if answer.status != _CONFLICT or answer.content_type != _SIZE_TYPE:
            raise ConsentUnavailableError(
                f"the witness {url} answered with status {answer.status}",
                "ask whoever runs it; the next checkpoint asks it again",
            )
        size = parse_decimal(answer.body[:20].decode("ascii", "replace").removesuffix("\n"))
        if size > head.size and size > newest():
            raise RefusedToSignError(
                f"the witness {url} has cosigned {size} entries, the newest checkpoint of this log has {head.size}",
                _FORKED,
            )
        if size > head.size:
            raise CheckpointConflictError(
                "another process signed a newer checkpoint, and had it cosigned, meanwhile", "try again"
            )
        if size == old == head.size:
            raise RefusedToSignError(
                f"the witness {url} has cosigned another log of {size} entries than ours", _FORKED
            )
        old = size
    raise ConsentUnavailableError(f"the witness {url} named another size {_TRIES} times", "try again")
