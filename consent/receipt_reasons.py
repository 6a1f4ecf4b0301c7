"""What a use receipt says of the values that the run saw: each in plain words, the strongest first, by `consent.why`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from consent import lines, value_words, why, words
from consent.errors import ConsentEvidenceError
from consent.receipt_words import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.vocabulary import UseStatus
    from consent.why import Reason, Why

Section = tuple[str, tuple[tuple[str, str], ...], tuple[str, ...], tuple[str, ...]]
"""Heading, facts, sentences, points."""


def sections(receipt: Mapping[str, Any], status: UseStatus, controller: str, language: str) -> list[Section]:
    """The part of the page that says why, and the whole table of values.

    Args:
        receipt: A use receipt of any version, as the ledger makes it or as it was verified.
        status: The person's status in the run.
        controller: Who is responsible, or an empty text where the receipt does not say.
        language: `fi`, `sv` or `en`.

    Returns:
        What is to be shown; what the values mean nobody proved before `verify` did.
    """
    kept = None if receipt["values"] is None else str(receipt["values"]["bytes"])
    text = receipt.get("explanation")
    if kept is None:
        answer = why.unexplained(status, receipt["summary"]["processing"], controller, language)
        return [(say("result", language), (), (answer.absence,), ())]
    try:
        document = None if text is None else json.loads(text)
        if document is None:
            return [_unexplained(say("no-explanation", language), kept, language)]
        answer = why.explain(
            kept.encode(),
            document,
            code=status,
            processing=receipt["summary"]["processing"],
            controller=controller,
            language=language,
        )
    except (ConsentEvidenceError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        # Bytes that are proved, in a form that this program does not know: shown as they are.
        return [_unexplained(say("does-not-fit", language), kept, language)]
    return _told(answer, language)


def _told(answer: Why, language: str) -> list[Section]:
    sentences = [text for text in (answer.offer, answer.absence) if text]
    if answer.score is not None and answer.threshold is not None:
        number = lines.label("number", language)
        yours, threshold = lines.decimal(answer.score, language), lines.decimal(answer.threshold, language)
        sentences.append(number.format(yours=yours, threshold=threshold) + ".")
    if answer.absence and answer.strongest:
        sentences.append(f"{lines.label('other-way', language)}:")
    table = tuple((reason.text, _value(reason, language)) for reason in answer.table)
    return [
        (say("why", language), (), tuple(sentences), tuple(reason.sentence for reason in answer.strongest)),
        (
            say("values", language),
            table,
            (say("table", language), words.pick(value_words.AS_KEPT, language)),
            (),
        ),
    ]


def _value(reason: Reason, language: str) -> str:
    # The sentence is "text (value): direction"; the text stands beside it here.
    said = reason.sentence.removeprefix(reason.text).strip()
    value, _, direction = said.rpartition(": ")
    return f"{value[1:-1]}; {direction} ({lines.signed(reason.contribution, language)})"


def _unexplained(sentence: str, kept: str, language: str) -> Section:
    try:
        found = json.loads(kept)
    except (ValueError, RecursionError):
        found = None
    facts: tuple[tuple[str, str], ...] = (("", kept),)
    if isinstance(found, dict):
        facts = tuple(
            (key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for key, value in found.items()
        )
    return say("values", language), facts, (sentence,), ()
