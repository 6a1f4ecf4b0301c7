"""The ledger's views as plain JSON values: one shape for ``--json`` and for the API, stable enough to script against.

Codes are words of the standards and do not change; every ``*_words`` is a sentence for people and may.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from consent import words
from consent.erasure_grounds import stays
from consent.errors import ConsentInputError
from consent.vocabulary import Processing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from consent.records import (
        ConsentEvent,
        ConsentReceiptRef,
        ConsentRecord,
        ErasureReceipt,
        Fault,
        Purpose,
        TransitionRefused,
    )
    from consent.uses import UseView
    from consent.vocabulary import ConsentStatus
    from consent.why import Reason, Why

Answer = dict[str, Any]

RUN_BYTES: Final = 16


def time_text(at: datetime) -> str:
    """Write a time as the ledger does: ``YYYY-MM-DDThh:mm:ssZ``."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _time_or_none(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)


def run_text(run: bytes) -> str:
    """Write a run's id as the log does: base64url without padding, 22 characters."""
    return base64.urlsafe_b64encode(run).rstrip(b"=").decode("ascii")


def parse_run(text: str) -> bytes:
    """Read a run's id: 22 characters of base64url as the log writes it, or 32 of hexadecimal.

    Args:
        text: What was typed.

    Returns:
        16 bytes.

    Raises:
        ConsentInputError: It is neither.
    """
    try:
        run = (
            bytes.fromhex(text)
            if len(text) == 2 * RUN_BYTES
            else base64.b64decode(text + "==", b"-_", validate=True)
        )
    except (ValueError, binascii.Error):
        run = b""
    if len(run) != RUN_BYTES or (len(text) != 2 * RUN_BYTES and run_text(run) != text):
        raise ConsentInputError(
            "a run's id is 22 characters of base64url or 32 of hexadecimal",
            "`luvalla consent uses` lists the runs with their ids.",
        )
    return run


def purpose(view: Purpose, language: str) -> Answer:
    """Tell of a purpose and its notice.

    Args:
        view: The purpose.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        JSON values.
    """
    return {
        "id": view.id,
        "version": view.version,
        "title": words.pick(view.title, language),
        "description": words.pick(view.description, language),
        "service": view.service,
        "controller": view.controller,
        "recipients": list(view.recipients),
        "legal_basis": view.legal_basis,
        "legal_basis_words": words.legal_basis(view.legal_basis, language),
        "processing": list(view.processing),
        "processing_words": [words.processing(word, language) for word in view.processing],
        "categories": list(view.categories),
        "retention_days": view.retention_days,
        "consent_days": view.consent_days,
        "effects_of_no": words.pick(view.effects_of_no, language),
        "notice": {
            "id": view.notice.id,
            "version": view.notice.version,
            "text": words.pick(view.notice.texts, language),
        },
    }


def _event(event: ConsentEvent, language: str) -> Answer:
    return {
        "index": event.index,
        "at": time_text(event.at),
        "status": event.status.value,
        "status_words": words.status(event.status, language),
        "purpose_version": event.purpose_version,
        "notice_version": event.notice_version,
        "processing": [word.value for word in Processing if event.processing & word.bit],
        "expires": _time_or_none(event.expires),
    }


def consent(record: ConsentRecord, language: str) -> Answer:
    """Tell what one person's answers to one purpose amount to.

    Args:
        record: The record.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        JSON values; ``history`` oldest first.
    """
    since = next((event.at for event in record.history if event.index == record.since), None)
    return {
        "purpose": record.purpose.id,
        "title": words.pick(record.purpose.title, language),
        "controller": record.purpose.controller,
        "status": record.status.value,
        "status_words": words.status(record.status, language),
        # A consent for an older version permits nothing under the newest one (status byte 0x14 of a run).
        "permits": record.status.permits and record.current_version,
        "since": _time_or_none(since),
        "expires": _time_or_none(record.expires),
        "purpose_version": record.purpose_version,
        "newest_version": record.purpose.version,
        "current_version": record.current_version,
        "effects_of_no": words.pick(record.purpose.effects_of_no, language),
        "history": [_event(event, language) for event in record.history],
    }


def recorded(ref: ConsentReceiptRef, language: str) -> Answer:
    """Tell of a consent event just recorded.

    Args:
        ref: Where it stands in the log.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        JSON values.
    """
    return {
        "recorded": True,
        "purpose": ref.purpose_id,
        "purpose_version": ref.purpose_version,
        "notice_version": ref.notice_version,
        "status": ref.status.value,
        "status_words": words.status(ref.status, language),
        "at": time_text(ref.at),
        "expires": _time_or_none(ref.expires),
        "index": ref.index,
        "replayed": ref.replayed,
    }


def foreseen(purpose_id: str, status: ConsentStatus, language: str) -> Answer:
    """Tell of an answer that would be recorded (dry run)."""
    return {
        "recorded": False,
        "purpose": purpose_id,
        "status": status.value,
        "status_words": words.status(status, language),
        "reason": None,
        "reason_words": None,
    }


def not_recorded(refused: TransitionRefused, purpose_id: str, language: str) -> Answer:
    """Tell of an answer that cannot follow the present state."""
    return {
        "recorded": False,
        "purpose": purpose_id,
        "status": refused.current.value,
        "status_words": words.status(refused.current, language),
        "reason": refused.reason,
        "reason_words": words.cannot_follow(refused, language),
    }


def use(view: UseView, language: str) -> Answer:
    """Tell of one run as one person is told of it.

    Args:
        view: The use.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        JSON values.
    """
    model = view.model
    said = words.result(view.status, view.processing, language)
    return {
        "run": run_text(view.run),
        "at": time_text(view.at),
        "index": view.index,
        "controller": view.controller,
        "service": view.service,
        "purpose": view.purpose_id,
        "purpose_version": view.purpose_version,
        "title": words.pick(view.purpose_title, language),
        "legal_basis": view.basis,
        "legal_basis_words": words.legal_basis(view.basis, language),
        "processing": view.processing,
        "processing_words": words.processing(view.processing, language),
        "model": None
        if model is None
        else {"name": model.name, "version": model.version, "digest": model.digest},
        "certificate": view.certificate,
        "status": view.status.word,
        "used": view.status.used,
        "result": view.result,
        "result_words": said,
        "left_out_because": said if view.status.left_out else None,
        "values_kept": view.values_kept,
    }


def _reason(reason: Reason) -> Answer:
    return {
        "feature": reason.feature,
        "text": reason.text,
        "value": reason.value,
        "contribution": reason.contribution,
        "sentence": reason.sentence,
    }


def why(answer: Why, view: UseView, *, full: bool) -> Answer:
    """Tell why a run came out as it did.

    Args:
        answer: The answer.
        view: The use it is about.
        full: With the table of every feature.

    Returns:
        JSON values; ``table`` is None unless asked for.
    """
    return {
        "use": use(view, answer.language),
        "explained": answer.explained,
        "outcome": answer.outcome,
        "absence": answer.absence or None,
        "offer": answer.offer or None,
        "strongest": [_reason(reason) for reason in answer.strongest],
        "table": [_reason(reason) for reason in answer.table] if full else None,
        "score": answer.score,
        "threshold": answer.threshold,
        "expected": answer.expected,
        "human_decides": answer.human,
        "contest": answer.contest,
    }


def erasure(receipt: ErasureReceipt) -> Answer:
    """Tell what an erasure destroyed and kept, or would.

    Args:
        receipt: The ledger's account.

    Returns:
        JSON values.
    """
    return {
        "dry_run": receipt.dry_run,
        "index": receipt.index,
        "at": time_text(receipt.at),
        "ground": receipt.ground,
        "erased": [kind.value for kind in receipt.erased],
        "kept": [kind.value for kind in receipt.kept],
        "kept_why": receipt.kept_why,
        "payloads": receipt.payloads,
        "details": receipt.details,
        "runs": receipt.runs,
        "values": receipt.values,
        "bytes_freed": receipt.bytes_freed,
        "backups_unreadable_by": receipt.backups_unreadable_by.isoformat(),
        "no_return": receipt.no_return,
        "weigh": [
            {"ground": each.ground, "keep": each.keep.value, "what": each.what, "count": each.count}
            for each in receipt.weigh
        ],
        "stays": [{"what": each.what, "why": each.why} for each in stays(receipt)],
    }


def erasures(receipts: Sequence[ErasureReceipt | None]) -> Answer:
    """Tell what the erasure of a list destroyed and kept, or would; never whom.

    Args:
        receipts: The ledger's accounts, in the order of the list; None for who is not on record.

    Returns:
        JSON values: totals, and under `people` each one's, by place in the list.
    """
    done = [each for each in receipts if each is not None]
    weigh: Counter[tuple[str, str, str]] = Counter()
    for each in done:
        for found in each.weigh:
            weigh[found.ground, found.keep.value, found.what] += found.count
    return {
        "dry_run": any(each.dry_run for each in done),
        "listed": len(receipts),
        "erased": len(done),
        "not_on_record": len(receipts) - len(done),
        **{
            name: sum(getattr(each, name) for each in done)
            for name in ("payloads", "details", "runs", "values")
        },
        "bytes_freed": all(each.bytes_freed for each in done),
        "backups_unreadable_by": max((each.backups_unreadable_by.isoformat() for each in done), default=None),
        "weigh": [
            {"ground": ground, "keep": keep, "what": what, "count": count}
            for (ground, keep, what), count in weigh.items()
        ],
        "people": [None if each is None else erasure(each) for each in receipts],
    }


def fault(found: Fault) -> Answer:
    """Tell of one fault of the ledger."""
    return {"table": found.table, "key": found.key, "what": found.what, "index": found.index}
