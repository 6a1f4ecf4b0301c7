"""The rights that a person exercised, and what stands because of them, as JSON values and as lines: one shape for `--json` and API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consent import right_words, words
from consent.answers import Answer, time_text
from consent.limits import limited
from consent.reading import check_aware
from consent.vocabulary import Processing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from consent.ledger_reader import LedgerReader
    from consent.right_records import RightRecord


def rights(
    ledger: LedgerReader, person: str, language: str, *, at: datetime | None = None, as_of: int | None = None
) -> Answer:
    """Tell which rights a person exercised, oldest first, and which processing leaves them out because of it.

    Args:
        ledger: The open ledger.
        person: The external id; somebody unknown has exercised none.
        language: ``fi``, ``sv`` or ``en``.
        at: The instant asked about; only what was recorded by then counts. Now by default.
        as_of: Only entries with a smaller index count.

    Returns:
        JSON values: `rights` and `standing`.

    Raises:
        BadRequestError: The instant has no time zone (exit 2).
        KeyMissingError: An opening is erased or broken (3).
    """
    check_aware(at)
    limitations = ledger.limitations(person, at=at, as_of=as_of)
    instant = at or max([ledger.log.now(), *(each.at for each in limitations[-1:])])
    standing = []
    for purpose in ledger.purposes(at=at, as_of=as_of):
        for word in purpose.processing:
            status = limited(limitations, purpose, Processing(word), at=instant, as_of=as_of)
            if status is not None:
                standing.append(
                    {
                        "purpose": purpose.id,
                        "title": words.pick(purpose.title, language),
                        "processing": word,
                        "processing_words": words.processing(word, language),
                        "status": status.word,
                        "status_words": words.result(status, word, language),
                    }
                )
    known = [
        each
        for each in ledger.rights_of(person)
        if (at is None or each.at <= at) and (as_of is None or each.index < as_of)
    ]
    return {"rights": [_right(each, language) for each in known], "standing": standing}


def _right(record: RightRecord, language: str) -> Answer:
    return {
        "index": record.index,
        "at": time_text(record.at),
        "right": record.right.value,
        "right_words": right_words.right(record.right.value, language),
        "answer": record.answer.value,
        "answer_words": right_words.answer(record.answer.value, language),
        "ground": record.ground,
        "reason": record.reason,
        "purposes": list(record.purposes),
        "processing": list(record.processing),
        "categories": list(record.categories),
        "corrects": record.corrects,
    }


def lines(answer: Mapping[str, Any], language: str) -> Iterator[str]:
    """The same as text.

    Args:
        answer: `rights`, or the API's.
        language: ``fi``, ``sv`` or ``en``.

    Yields:
        Lines.
    """
    if not answer["rights"]:
        yield right_words.none(language)
    for each in answer["rights"]:
        when = f"{each['at'][:10]} {each['at'][11:16]} UTC"
        yield f"{when}  {right_words.recorded(each['right'], each['answer'], each['index'], language)}"
        scope = right_words.scope(each["purposes"], each["processing"], each["categories"], language)
        if scope:
            yield f"  {'; '.join(scope)}"
        if each["reason"]:
            yield f"  {each['reason']}"
    for each in answer["standing"]:
        yield f"{each['title']} ({each['purpose']}), {each['processing_words']}: {each['status_words']}"
