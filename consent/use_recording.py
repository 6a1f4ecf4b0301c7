"""Recording a run: who was used how, as one entry and a tree with a slot for every number there is.

Per enrolled person one key is unwrapped, one salt and one slot are hashed, and three tree nodes on average; the loops
below are plain Python over hashlib, and are measured in benchmarks/ledger_use.py.
"""

from __future__ import annotations

import json
import operator
import os
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consent import store_consents, store_log, store_people, store_uses, use_permits
from consent.canonical import (
    ID_BYTES,
    b64u,
    digest,
    is_digest,
    use_salt,
    use_slot,
    use_tree_size,
    vacant_slots,
    vacant_values_slots,
    values_salt,
    values_slot,
)
from consent.errors import BadRequestError
from consent.keys import KEY_BYTES, NONCE_BYTES, seal_values
from consent.purposing import find
from consent.reading import parse_processing
from consent.repeated import check_same_request
from consent.row_mac import with_mac
from consent.shapes import MAX_NUMBER
from consent.tlog.merkle import chunk_roots_of, root_at, root_of
from consent.use_values import CHUNK, deflated, pack
from consent.vocabulary import Processing, RetentionClass, UseStatus

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consent.log import Log
    from consent.records import Purpose
    from consent.uses import UseRequest
    from consent.writing import Writing

MAX_EXPLANATION_BYTES = 4 * 1024 * 1024
DAY = 86_400
_STATUSES = frozenset(UseStatus)
_SELECTING = frozenset({UseStatus.SELECTED, UseStatus.SAMPLED})
_USED = bytes([UseStatus.USED, UseStatus.SELECTED, UseStatus.SAMPLED])


@dataclass(frozen=True)
class _Request:
    """A request made plain: lists instead of arrays, checked."""

    use: UseRequest
    processing: Processing
    numbers: list[int]
    statuses: list[int]
    values: list[bytes] | None
    explanation: bytes | None


def append(log: Log, use: UseRequest) -> tuple[int, bool]:
    """Record a run in one transaction; see `Ledger.append_use`.

    Returns:
        Index of the entry, and whether an earlier request had made it.
    """
    request = _plain(use)
    request_key = log.request(f"run:{use.run.hex()}") or b""
    fingerprint = _fingerprint(log, request)
    used = [n for n, status in zip(request.numbers, request.statuses, strict=True) if status in _USED]
    before = use_permits.read(log, use.purpose_id, use.state.size, used)
    with log.writing() as writing:
        connection = writing.connection
        earlier = store_log.answered(connection, [request_key]).get(request_key)
        if earlier is not None:
            check_same_request(earlier, fingerprint)
            return earlier.idx, True
        purpose = find(store_consents.purposes(connection), use.purpose_id)
        _check_scope(request, purpose)
        _check_state(connection, use, writing.size)
        keys = _use_keys(log, connection)
        _check_people(request, keys)
        before.check(connection, purpose, request.processing, store_consents.epoch(writing.at))
        return _write(log, writing, request, purpose, keys, request_key, fingerprint), False


def _plain(use: UseRequest) -> _Request:
    numbers, statuses = _integers(use.numbers), _integers(use.statuses)
    values = None if use.values is None else list(use.values)
    if len(use.run) != ID_BYTES:
        raise BadRequestError(
            f"a run's id is {ID_BYTES} random bytes, got {len(use.run)}", "use os.urandom(16)"
        )
    if len(numbers) != len(statuses) or (values is not None and len(values) != len(numbers)):
        raise BadRequestError(
            f"{len(numbers)} numbers, {len(statuses)} statuses and "
            f"{'no' if values is None else len(values)} values: expected as many of each",
            "align the arrays",
        )
    if not numbers:
        raise BadRequestError("the run names nobody", "a run over nobody has nothing to record")
    if len(set(numbers)) != len(numbers) or min(numbers) < 0:
        raise BadRequestError(
            "a number is named twice, or is negative",
            "name each person once, and leave out those not on record (-1)",
        )
    if max(numbers) > MAX_NUMBER:
        raise BadRequestError(
            "something given as a person's number is not a number of this log", "pass `Permits.numbers`"
        )
    if not _STATUSES.issuperset(statuses):
        raise BadRequestError(
            "a status is not a code of `UseStatus`",
            "use the codes of `consent.vocabulary.UseStatus`, such as 1 for used",
        )
    for name, value in (("certificate", use.certificate), ("output", use.output)):
        if value is not None and not is_digest(value):
            raise BadRequestError(
                f"the {name} is not a digest `sha256:...`", "give the digest of the exact bytes"
            )
    try:
        for kept in values or ():
            kept.decode()
    except (UnicodeDecodeError, AttributeError) as error:
        raise BadRequestError(
            "values kept of a person are not UTF-8 bytes", "a receipt shows them as text: encode them as JSON"
        ) from error
    return _Request(use, parse_processing(use.processing), numbers, statuses, values, _explanation(use))


def _integers(values: Any) -> list[int]:
    """A list of plain integers from any sequence; arrays of numpy have `tolist`, which is fast."""
    listed: list[Any] = values.tolist() if hasattr(values, "tolist") else list(values)
    if all(type(value) is int for value in listed):
        return listed
    try:
        return [operator.index(value) for value in listed]
    except TypeError as error:
        raise BadRequestError("numbers and statuses must be integers", "pass int arrays") from error


def _explanation(use: UseRequest) -> bytes | None:
    if use.explanation is None:
        return None
    try:
        text = json.dumps(
            dict(use.explanation), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()
    except (TypeError, ValueError) as error:
        raise BadRequestError(
            "the explanation is not a JSON document", "use text, finite numbers, lists and objects"
        ) from error
    if len(text) > MAX_EXPLANATION_BYTES:
        raise BadRequestError(
            f"the explanation has {len(text)} bytes, at most {MAX_EXPLANATION_BYTES} are kept", "shorten it"
        )
    return text


def _fingerprint(log: Log, request: _Request) -> bytes:
    use = request.use
    model = use.model
    words = (
        use.processing, use.purpose_id, use.service, use.certificate or "", use.output or "",
        *((model.name, model.version, model.digest) if model else ()),
    )  # fmt: skip
    values = (
        b"" if request.values is None else b"".join(len(v).to_bytes(4, "big") + v for v in request.values)
    )
    return log.fingerprint(
        b"run",
        *(word.encode("utf-8", "surrogatepass") for word in words),
        array("Q", request.numbers).tobytes(),
        bytes(request.statuses),
        values,
        request.explanation or b"",
        use.state.size.to_bytes(8, "big") + use.state.root,
    )


def _check_scope(request: _Request, purpose: Purpose) -> None:
    if request.processing.value not in purpose.processing:
        raise BadRequestError(
            f"purpose `{purpose.id}` does not cover {request.processing.value}",
            f"it covers {', '.join(purpose.processing)}",
        )
    selects = request.processing in (Processing.SCORING, Processing.HUMAN_REVIEW)
    if not selects and not _SELECTING.isdisjoint(request.statuses):
        raise BadRequestError(
            f"a run of {request.processing.value} selects nobody", "record its people as used"
        )


def _check_state(connection: Connection, use: UseRequest, size: int) -> None:
    state = use.state
    if not 0 < state.size <= size or root_at(store_log.SqlHashes(connection), state.size) != state.root:
        raise BadRequestError(
            "the run's state is not a checkpoint of this log", "read the permits again, and pass their state"
        )


def _use_keys(log: Log, connection: Connection) -> dict[int, bytes]:
    """The use keys of everybody who is on record, by number."""
    highest = store_people.highest_number(connection)
    rows = store_people.wrapped_keys_between(connection, RetentionClass.USE.code, 0, (highest or 0) + 1)
    keys = log.vault.unwrap_all(RetentionClass.USE, rows)
    for number in store_people.erased_numbers(connection):
        keys.pop(number, None)
    return keys


def _check_people(request: _Request, keys: dict[int, bytes]) -> None:
    unknown = sum(1 for number in request.numbers if number not in keys)
    if unknown:
        raise BadRequestError(
            f"{unknown} of the run's numbers are nobody's (any more)",
            "read the permits again: a person may have been erased",
        )


def _write(
    log: Log,
    writing: Writing,
    request: _Request,
    purpose: Purpose,
    keys: dict[int, bytes],
    request_key: bytes,
    fingerprint: bytes,
) -> int:
    use, run = request.use, request.use.run
    slots = use_tree_size(store_people.highest_number(writing.connection) or 0)
    secret = os.urandom(KEY_BYTES)
    statuses = bytearray(slots)
    for number, status in zip(request.numbers, request.statuses, strict=True):
        statuses[number] = status
    vacant = [number for number in range(slots) if number not in keys]
    hashes = [b""] * slots
    for number, slot in zip(vacant, vacant_slots(run, secret, vacant), strict=True):
        hashes[number] = slot
    for number, key in keys.items():
        hashes[number] = use_slot(run, number, statuses[number], use_salt(key, run))
    roots = chunk_roots_of(hashes, CHUNK)
    values_roots, sealed = _values(request, keys, secret, vacant, slots)
    body = {
        "basis": purpose.legal_basis,
        "certificate": use.certificate,
        "explanation": None if request.explanation is None else digest(request.explanation),
        "model": None
        if use.model is None
        else {"digest": use.model.digest, "name": use.model.name, "version": use.model.version},
        "output": use.output,
        "processing": request.processing.value,
        "purpose": purpose.id,
        "purpose_version": purpose.version,
        "root": b64u(root_of(roots)),
        "run": b64u(run),
        "service": use.service,
        "slots": slots,
        "state": {"root": b64u(use.state.root), "size": use.state.size},
        "values_root": None if values_roots is None else b64u(root_of(values_roots)),
    }
    index = writing.institutional("run", body, request=request_key, fingerprint=fingerprint)
    until = store_consents.epoch(writing.at) + purpose.retention_days * DAY
    row = {
        "run": run,
        "idx": index,
        "slots": slots,
        "secret": log.vault.seal_secret(run, secret),
        "values_until": None if values_roots is None else until,
        "explanation": request.explanation,
    }
    chunks = [
        {
            "run": run,
            "chunk": chunk,
            "statuses": deflated(bytes(statuses[chunk * CHUNK : (chunk + 1) * CHUNK])),
            "root": root,
            "values_root": None if values_roots is None else values_roots[chunk],
        }
        for chunk, root in enumerate(roots)
    ]
    key = log.pseudonym_key
    store_uses.insert_run(
        writing.connection,
        with_mac(key, "use_run", row),
        [with_mac(key, "use_chunk", chunk) for chunk in chunks],
        [with_mac(key, "use_values", each) for each in sealed],
    )
    return index


def _values(
    request: _Request, keys: dict[int, bytes], secret: bytes, vacant: list[int], slots: int
) -> tuple[list[bytes] | None, list[store_log.Row]]:
    """Chunk roots of the values tree, and the rows of kept values; everybody without kept values has empty ones."""
    if request.values is None or not any(request.values):
        return None, []
    run = request.use.run
    kept = {n: value for n, value in zip(request.numbers, request.values, strict=True) if value}
    hashes = [b""] * slots
    for number, slot in zip(vacant, vacant_values_slots(run, secret, vacant), strict=True):
        hashes[number] = slot
    empty = b""
    for number, key in keys.items():
        hashes[number] = values_slot(run, number, values_salt(key, run), kept.get(number, empty))
    nonces = os.urandom(NONCE_BYTES * len(kept))
    sealed: dict[int, dict[int, bytes]] = {}
    for at, (number, value) in enumerate(kept.items()):
        nonce = nonces[at * NONCE_BYTES : (at + 1) * NONCE_BYTES]
        chunk, position = divmod(number, CHUNK)
        sealed.setdefault(chunk, {})[position] = seal_values(keys[number], run, number, value, nonce)
    rows: list[store_log.Row] = []
    for chunk, of_chunk in sorted(sealed.items()):
        lengths, packed = pack(of_chunk)
        rows.append({"run": run, "chunk": chunk, "lengths": lengths, "sealed": packed})
    return chunk_roots_of(hashes, CHUNK), rows
