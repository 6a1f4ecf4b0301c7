"""Pure: what speaks for keeping something of a person (GDPR 17(3), 18(2)), and what stays after every erasure, and why.

Nothing here decides. The exceptions of the law are decided by people and recorded with the erasure (`keep`, `kept_why`);
a dry run lays before them what the ledger knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from consent.records import ToWeigh
from consent.vocabulary import RetentionClass, Right, RightAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from consent.entries import Payload
    from consent.records import ErasureReceipt, Purpose

_BY_LAW = ("eu-gdpr:A6-1-c", "eu-gdpr:A6-1-e")
"""Legal bases to which the right to erasure does not reach as far as the data are necessary (GDPR 17(3)(b))."""
_REQUESTS = (Right.ACCESS, Right.PORTABILITY, Right.RECTIFICATION)


class Stays(NamedTuple):
    """One thing that no erasure takes away.

    Attributes:
        what: What stays.
        why: Why it does, and what can still be learnt from it.
    """

    what: str
    why: str


def to_weigh(payloads: Iterable[Payload], purposes: Mapping[tuple[str, int], Purpose]) -> tuple[ToWeigh, ...]:
    """What speaks for keeping something of one person, from what is on record about them.

    Args:
        payloads: Every payload of the person, oldest first.
        purposes: Every version of every purpose.

    Returns:
        In a fixed order; empty when nothing was found.
    """
    by_law = acts = requests = 0
    restricted = 0
    for payload in payloads:
        if payload.kind == "act":
            acts += 1
        elif payload.kind == "consent":
            purpose = purposes.get((payload.purpose or "", payload.purpose_version or 0))
            by_law += purpose is not None and purpose.legal_basis in _BY_LAW
        elif payload.kind == "right":
            right, answer = Right(payload.body["right"]), RightAnswer(payload.body["answer"])
            requests += right in _REQUESTS and answer is RightAnswer.RECORDED
            if answer is not RightAnswer.REFUSED:
                restricted += (right is Right.RESTRICTION) - (right is Right.RESTRICTION_LIFTED)
    evidence = RetentionClass.EVIDENCE
    found = (
        ToWeigh(
            "eu-gdpr:A17-3-b",
            evidence,
            "answers for a purpose on the basis of a legal obligation or a public task: "
            "what that task needs may be kept",
            by_law,
        ),
        ToWeigh(
            "eu-gdpr:A17-3-e",
            evidence,
            "acts of staff or board: signed decisions that concern others rest on them",
            acts,
        ),
        ToWeigh(
            "eu-gdpr:A18-2",
            evidence,
            "restrictions in force: the person may have asked that the data be kept, for a legal claim",
            max(0, restricted),
        ),
        ToWeigh(
            "eu-gdpr:A12-3", evidence, "requests recorded and not answered yet: answer them first", requests
        ),
    )
    return tuple(each for each in found if each.count)


def stays(receipt: ErasureReceipt) -> tuple[Stays, ...]:
    """What stays after an erasure whatever is decided, and why."""
    always = [
        Stays(
            "the commitments of the entries in the log",
            "every other proof rests on them; without salt and key nobody can say what they are of, or of whom",
        ),
        Stays("the number", "it is never given again; nothing leads from it to the person any more"),
        Stays(
            "the record of this erasure: ground, classes, counts and dates",
            "the city must be able to show that it erased (GDPR 5(2)); it names nobody",
        ),
    ]
    if receipt.runs:
        always.insert(
            2,
            Stays(
                "one hash per run in place of the status",
                "everybody else's proof of the run rests on it; its salt is destroyed",
            ),
        )
    if receipt.no_return:
        always.append(
            Stays(
                "a keyed tombstone",
                "the person asked not to be asked again; whoever has the key and the id can recognise it, nobody else",
            )
        )
    return tuple(always)
