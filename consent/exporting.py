"""Making an export: what is given is recorded before it leaves, as a right exercised, with its digest (GDPR 15, 20; 5(2))."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consent import answering, consenting, export_contents, receipt, store_log
from consent.canonical import digest, encode, format_time
from consent.errors import BadRequestError, UnknownPersonError
from consent.reading import person_of
from consent.store_consents import moment
from consent.vocabulary import Language, RetentionClass, Right, RightAnswer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from consent.ledger import Ledger
    from consent.log import Log

FORMAT = 1
_CONTENTS: dict[Right, Callable[..., dict[str, Any]]] = {
    Right.ACCESS: export_contents.of_access,
    Right.PORTABILITY: export_contents.of_portability,
}
GROUNDS = {Right.ACCESS: "eu-gdpr:A15", Right.PORTABILITY: "eu-gdpr:A20"}


@dataclass(frozen=True)
class ExportRequest:
    """Who wants what.

    Attributes:
        person: The external id.
        right: `ACCESS` or `PORTABILITY`.
        language: Of the sentences in it: ``fi``, ``sv`` or ``en``.
        receipts: With a receipt of every consent and every use, each of which proves itself offline; access only.
        request_id: The caller's id of this request; a retry records nothing more and gives the same content.
    """

    person: str = field(repr=False)
    right: Right = Right.ACCESS
    language: str = "fi"
    receipts: bool = True
    request_id: str | None = None


@dataclass(frozen=True)
class Export:
    """What was given.

    Attributes:
        index: Index of the `right` entry that records it.
        digest: `sha256:...` of the canonical bytes of the document's `content`, as recorded.
        document: The export; docs/schemas/export.schema.json.
        replayed: True when this request id had been recorded before, and nothing was written now.
        unchanged: False only for a repeated request whose content cannot be given again, since something was erased or purged.
    """

    index: int
    digest: str
    document: dict[str, Any] = field(repr=False)
    replayed: bool = False
    unchanged: bool = True


def foresee(log: Log, asked: ExportRequest) -> dict[str, Any]:
    """The content that would be given now; nothing is recorded. Errors as of `make`."""
    _check(asked)
    size, at = _now(log)
    return _content(log, asked, size, at)


def make(ledger: Ledger, asked: ExportRequest) -> Export:
    """Record that an export is made, durably, then give it.

    Raises:
        UnknownPersonError: Nothing is on record: there is nothing to give, and nothing is written (exit 2).
        BadRequestError: Neither access nor portability, or an unknown language (2).
        RequestConflictError: The request id was used for something else (2).
        KeyMissingError, LedgerDamagedError: Something does not open as recorded (3).
    """
    _check(asked)
    log = ledger.log
    pseudonym = log.pseudonym(asked.person)
    request = log.request(asked.request_id)
    fingerprint = log.fingerprint(b"export", pseudonym, asked.right.value.encode(), asked.language.encode())
    with log.store.read() as connection:
        earlier = log.answered(connection, request, fingerprint)
    if earlier is not None:
        return _again(ledger, asked, earlier)
    size, at = _now(log)
    content = _content(log, asked, size, at)
    body: dict[str, Any] = {
        "answer": RightAnswer.GRANTED.value,
        "categories": [],
        "corrects": None,
        "ground": GROUNDS[asked.right],
        "processing": [],
        "purposes": [],
        "reason": None,
        "right": asked.right.value,
    }
    given = digest(encode(content))
    with log.writing() as writing:
        earlier = log.answered(writing.connection, request, fingerprint)
        if earlier is None:
            if person_of(log, writing.connection, asked.person) is None:
                raise _erased_meanwhile()
            person, keys = consenting.person_and_keys(log, writing, pseudonym)
            index = writing.personal(
                "right", person, keys[RetentionClass.EVIDENCE], body,
                details={export_contents.EXPORTED: {"at": format_time(at), "digest": given, "size": size}},
                detail_key=answering.detail_key(log, writing, person),
                request=request, fingerprint=fingerprint if request else None,
            )  # fmt: skip
    if earlier is not None:
        return _again(ledger, asked, earlier)
    return Export(index, given, _document(ledger, asked, index, given, content))


def _again(ledger: Ledger, asked: ExportRequest, index: int) -> Export:
    """The first result of a repeated request: read anew as of the size and the instant that were recorded."""
    log = ledger.log
    with log.store.read() as connection:
        person = person_of(log, connection, asked.person)
        recorded = (
            None if person is None else export_contents.exported_of(log, connection, person.number, index)
        )
    if recorded is None:
        raise BadRequestError(
            "the request was answered before, and what it recorded was erased since",
            "use a new request id to record anew",
        )
    given, size, at = recorded
    content = _content(log, asked, size, at)
    document = _document(ledger, asked, index, given, content)
    return Export(index, given, document, replayed=True, unchanged=digest(encode(content)) == given)


def _document(
    ledger: Ledger, asked: ExportRequest, index: int, given: str, content: dict[str, Any]
) -> dict[str, Any]:
    log = ledger.log
    covering = log.checkpoint()
    with log.store.read() as connection:
        payload, opening = receipt.open_entry(log, connection, index, covering)
    return {
        "content": content,
        "luvalla_export": FORMAT,
        "receipts": _receipts(ledger, asked, content),
        "record": {"at": payload.at, "digest": given, "index": index, "opening": opening},
    }


def _receipts(ledger: Ledger, asked: ExportRequest, content: dict[str, Any]) -> dict[str, Any] | None:
    if not asked.receipts or asked.right is not Right.ACCESS:
        return None
    runs = {view.index: view.run for view in ledger.uses(asked.person)}
    return {
        "consents": [ledger.consent_receipt(asked.person, each["index"]) for each in content["consents"]],
        "uses": [ledger.use_receipt(asked.person, runs[each["index"]]) for each in content["uses"]],
    }


def _content(log: Log, asked: ExportRequest, size: int, at: datetime) -> dict[str, Any]:
    return _CONTENTS[asked.right](log, asked.person, size=size, at=at, language=asked.language)


def _now(log: Log) -> tuple[int, datetime]:
    """The log's size, and an instant at which all of it counts, also by a clock that is a little behind."""
    with log.store.read() as connection:
        end = store_log.log_end(connection)
    return end.size, max(log.now(), moment(end.last_at))


def _check(asked: ExportRequest) -> None:
    if asked.right not in _CONTENTS:
        raise BadRequestError(
            f"`{asked.right.value}` is not answered by an export", "use access or portability"
        )
    if asked.language not in {language.value for language in Language}:
        raise BadRequestError("an export is not written in this language", "use fi, sv or en")


def _erased_meanwhile() -> UnknownPersonError:
    return UnknownPersonError(
        "the person was erased meanwhile", "nothing is kept of them, and nothing was given"
    )
