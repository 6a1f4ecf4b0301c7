"""What a receipt says, in the order in which a person reads it; from the receipt alone, in Finnish, Swedish or English."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consent import export_words, lines, method_words, receipt_reasons, words
from consent.receipt_record import category_term
from consent.receipt_terms import SPECIAL
from consent.receipt_words import data, day, moment, say
from consent.vocabulary import ConsentStatus, UseStatus
from consent.witnessed import witnesses_of_proof

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_DAY = re.compile("[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}")


@dataclass(frozen=True)
class Part:
    """A part of the page.

    Attributes:
        heading: Its heading.
        facts: Label and value.
        sentences: What stands before the list.
        points: A list.
    """

    heading: str
    facts: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A receipt to be read.

    Attributes:
        language: `fi`, `sv` or `en`.
        title: What the page is.
        lead: The answer or the result, in a few words.
        means: What follows from it.
        good: Whether the lead is a yes.
        parts: What it is about, how it was answered, what one can do.
        notice: Text and language of the notice; None where the receipt does not have it.
        steps: How to check.
        command: The command that checks.
        proof: What is proved and what is not; facts for whoever checks.
    """

    language: str
    title: str
    lead: str
    means: str
    good: bool
    parts: tuple[Part, ...]
    notice: tuple[str, str] | None
    steps: tuple[str, ...]
    command: str
    proof: tuple[Part, ...]


def read(receipt: Mapping[str, Any], language: str, witnesses: Sequence[str] | None = None) -> Reading:
    """Say a receipt in plain words.

    Args:
        receipt: A receipt of either type and of any version, as the ledger makes it or as it was verified.
        language: `fi`, `sv` or `en`.
        witnesses: Names of the witnesses whose cosignatures were checked; None: those that the receipt has lines of, as
            for one that the ledger has just made.
    """
    consent = receipt["type"] == "consent"
    lead, means, good, parts = (_consent if consent else _use)(receipt, language)
    summary = receipt["summary"]
    notice = (receipt["notice_text"], summary["language"]) if "notice_text" in receipt else None
    return Reading(
        language=language,
        title=f"{say(receipt['type'], language)}: {_subject_matter(receipt, language)}",
        lead=lead,
        means=means,
        good=good,
        parts=parts,
        notice=notice,
        steps=tuple(say(key, language) for key in ("save", "fetch", "command")),
        command=f"luvalla verify receipt.json --trust-root trust-root.json --pin {receipt['trust_root']}",
        proof=_proof(receipt, language, witnesses, consent=consent),
    )


def _subject_matter(receipt: Mapping[str, Any], language: str) -> str:
    if "purpose_entry" not in receipt:
        return str(receipt["summary"]["purpose"])
    return words.pick(json.loads(receipt["purpose_entry"]["document"])["title"], language)


def _consent(receipt: Mapping[str, Any], language: str) -> tuple[str, str, bool, tuple[Part, ...]]:
    summary = receipt["summary"]
    status = ConsentStatus(summary["status"])
    until = None if summary["expires"] is None else moment(summary["expires"], language)
    document = json.loads(receipt["purpose_entry"]["document"]) if "purpose_entry" in receipt else None
    # A consent covers data only as a whole (ledger-v1, section 4).
    whole = document is None or set(document["categories"]) <= set(summary["categories"])
    means = say("may-not", language)
    if status.permits:
        ends = day(summary["expires"], language) if summary["expires"] else "-"
        means = say("may" if whole else "too-little", language, until=ends)
    means = f"{means} {say('as-of', language, day=day(summary['at'], language))}"
    answer = [
        (say("who", language), words.given_by(summary["given_by"], language)),
        (say("how", language), method_words.method(summary["method"], language)),
        (say("when", language), moment(summary["at"], language)),
        *([] if until is None else [(say("until", language), until)]),
        (say("language", language), say(summary["language"], language)),
        *_details(receipt["opening"]["details"], language),
    ]
    parts = (
        Part(
            say("about", language),
            _about(summary, document, language),
            sentences=_proposes(summary, language),
        ),
        Part(say("answer", language), tuple(answer)),
        _can(language),
    )
    return words.status(status, language), means, status.permits and whole, parts


def _about(
    summary: Mapping[str, Any], document: Mapping[str, Any] | None, language: str
) -> tuple[tuple[str, str], ...]:
    terms = [category_term(category) for category in summary["categories"]]
    named = [
        say("sensitive", language, data=data(term, language)) if term in SPECIAL else data(term, language)
        for term in terms
    ]
    done = [words.processing(word, language) for word in summary["processing"]]
    common = [(say("done", language), "; ".join(done)), (say("data", language), ", ".join(named))]
    if document is None:
        return ((say("purpose", language), summary["purpose"]), *common)
    days = document["retention_days"]
    reach = [document[key] for key in ("contact", "address", "email", "phone", "website") if key in document]
    return (
        (say("purpose", language), words.pick(document["title"], language)),
        (say("in-short", language), words.pick(document["description"], language)),
        *common,
        (say("no", language), words.pick(document["effects_of_no"], language)),
        (say("controller", language), document["controller"]),
        (say("contact", language), ", ".join(dict.fromkeys(reach)) or say("not-stated", language)),
        (say("recipients", language), ", ".join(document["recipients"]) or say("nobody", language)),
        (
            say("storage", language),
            ", ".join(document.get("storage_locations", [])) or say("not-stated", language),
        ),
        (say("kept", language), say("days", language, days=days) if days else say("not-kept", language)),
        (say("basis", language), words.legal_basis(document["legal_basis"], language)),
    )


def _proposes(summary: Mapping[str, Any], language: str) -> tuple[str, ...]:
    return (words.pick(words.HUMAN_DECIDES, language),) if "scoring" in summary["processing"] else ()


def _details(details: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    """The opened details, those of ours in words."""
    found = []
    for name, part in sorted(details.items()):
        value = json.loads(part["value"])
        if name == "own-say" and value in ("agreed", "opposed", "not-able", "not-asked"):
            found.append((say(name, language), say(value, language)))
        elif name == "representation" and isinstance(value, dict):
            found.append((say(name, language), ", ".join(str(each) for each in value.values() if each)))
        elif name == "signed-on" and isinstance(value, str) and _DAY.fullmatch(value):
            found.append((say(name, language), day(f"{value}T00:00:00Z", language)))
        else:
            found.append((say("other-detail", language, name=name), part["value"]))
    return found


def _use(receipt: Mapping[str, Any], language: str) -> tuple[str, str, bool, tuple[Part, ...]]:
    summary = receipt["summary"]
    status = UseStatus[summary["status"].upper().replace("-", "_")]
    model = summary["model"]
    document = json.loads(receipt["purpose_entry"]["document"]) if "purpose_entry" in receipt else None
    facts = [
        (say("when", language), moment(summary["at"], language)),
        (say("done", language), words.processing(summary["processing"], language)),
        *_purpose_of_use(summary, document, language),
        *(
            []
            if model is None
            else [
                (
                    say("model", language),
                    f"{model['name']}, {lines.label('version', language)} {model['version']}",
                )
            ]
        ),
        (say("basis", language), words.legal_basis(summary["basis"], language)),
    ]
    controller = "" if document is None else document["controller"]
    reasons = [Part(*each) for each in receipt_reasons.sections(receipt, status, controller, language)]
    contest = () if document is None else (words.contest(controller, language),)
    human = words.pick(words.HUMAN_DECIDES, language) if summary["processing"] == "scoring" else ""
    lead = words.result(status, summary["processing"], language)
    parts = (Part(say("run", language), tuple(facts)), *reasons, _can(language, *contest))
    return lead, human, status.used, parts


def _purpose_of_use(
    summary: Mapping[str, Any], document: Mapping[str, Any] | None, language: str
) -> list[tuple[str, str]]:
    if document is None:
        return [
            (say("service", language), summary["service"]),
            (say("purpose", language), summary["purpose"]),
        ]
    reach = [document[key] for key in ("contact", "address", "email", "phone", "website") if key in document]
    return [
        (say("purpose", language), words.pick(document["title"], language)),
        (say("in-short", language), words.pick(document["description"], language)),
        (say("controller", language), document["controller"]),
        (say("contact", language), ", ".join(dict.fromkeys(reach)) or say("not-stated", language)),
    ]


def _can(language: str, *more: str) -> Part:
    # How to contest a use ends with whom to complain to: said once.
    complaint = () if more else (words.pick(export_words.COMPLAINT, language),)
    sentences = (*more, words.pick(export_words.RIGHTS, language), *complaint)
    return Part(say("can", language), sentences=sentences)


def _proof(
    receipt: Mapping[str, Any], language: str, witnesses: Sequence[str] | None, *, consent: bool
) -> tuple[Part, ...]:
    summary, origin = receipt["summary"], receipt["origin"]
    proof = (receipt["opening"] if consent else receipt["run"])["proof"]
    head, _, checkpoint = proof.partition("\n\n")
    index, size = head.split("\n")[1].removeprefix("index "), checkpoint.split("\n")[1]
    number = summary["number"]
    proved = [say("proved-run", language, origin=origin, index=index, number=number)]
    not_proved = []
    if consent:
        proved = [say("proved-answer", language, origin=origin, index=index)]
        proved += [say("proved-purpose", language)] if "purpose_entry" in receipt else []
        not_proved = [say("not-newest", language), say("not-person", language)]
    else:
        shown = (receipt["values"], receipt.get("explanation"))
        proved += [say("proved-meaning", language)] if "purpose_entry" in receipt else []
        proved += [say("proved-values", language)] if shown[0] is not None else []
        proved += [say("proved-explanation", language)] if None not in shown else []
        not_proved = [say("not-explanation", language)] if None not in shown else []
    cosigned = witnesses_of_proof(proof, origin) if witnesses is None else witnesses
    not_proved += [say("not-clock", language), *words.not_proved(language, cosigned)]
    payload = json.loads(receipt["enrolment"]["payload"])
    if not consent:
        explanation = json.loads(receipt["run"]["entry"])["b"]["explanation"]
        more = [(say("run-id", language), summary["run"]), (say("service-id", language), summary["service"])]
        more += [(say("explanation-digest", language), explanation)] if explanation else []
    else:
        body = json.loads(receipt["opening"]["payload"])["body"]
        more = [
            (
                say("notice-digest", language),
                f"{body['notice']}, {body['notice_version']}: {body['notice_digest']}",
            )
        ]
    facts = (
        (say("pin", language), receipt["trust_root"]),
        (say("origin", language), origin),
        (say("index", language), index),
        (say("size", language), size),
        (say("purpose-id", language), f"{summary['purpose']}, {summary['purpose_version']}"),
        *more,
        (say("number", language), str(number)),
        (say("subject", language), payload["subject"]),
        (say("issued", language), moment(receipt["issued"], language)),
    )
    return (
        Part(say("proved", language), sentences=(say("if-checked", language),), points=tuple(proved)),
        Part(say("not-proved", language), points=tuple(not_proved)),
        Part(say("numbers", language), facts=facts),
    )
