"""Pure: what an erasure destroys and keeps by a recorded decision, and the receipt's stored form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from consent.canonical import encode, format_time, parse_time
from consent.errors import BadRequestError
from consent.records import ErasureReceipt
from consent.vocabulary import ERASABLE, RetentionClass

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_GROUND = 200


@dataclass(frozen=True)
class Decision:
    """What is to be erased, by a recorded decision.

    Attributes:
        ground: The legal ground.
        erased: Classes destroyed.
        kept: Classes kept.
        kept_why: Why; None when nothing is kept.
        no_return: The person asked not to be asked again: a new consent is refused until they say otherwise.
    """

    ground: str
    erased: tuple[RetentionClass, ...]
    kept: tuple[RetentionClass, ...]
    kept_why: str | None
    no_return: bool = False

    def value(self) -> dict[str, Any]:
        """As it stands in the erasure journal."""
        return {
            "erased": [item.value for item in self.erased],
            "ground": self.ground,
            "kept": [item.value for item in self.kept],
            "kept_why": self.kept_why,
        }

    @classmethod
    def of_value(cls, value: dict[str, Any], *, no_return: bool) -> Decision:
        """A line of the erasure journal again."""
        return cls(
            value["ground"],
            tuple(RetentionClass(word) for word in value["erased"]),
            tuple(RetentionClass(word) for word in value["kept"]),
            value["kept_why"],
            no_return,
        )


def decide(
    ground: str, keep: Collection[RetentionClass], kept_why: str | None, *, no_return: bool = False
) -> Decision:
    """The decision of a request.

    Raises:
        BadRequestError: No ground, a class that cannot be kept, everything kept, or something kept without a reason.
    """
    for text in (ground, kept_why or "-"):
        if not text.strip() or len(text) > MAX_GROUND or not text.isprintable():
            raise BadRequestError(
                f"the ground and the reason must be 1 to {MAX_GROUND} printable characters",
                "name e.g. eu-gdpr:A17-1-b",
            )
    kept = tuple(item for item in ERASABLE if item in keep)
    if len(kept) != len(set(keep)):
        raise BadRequestError(
            "a class that cannot be kept was named", f"use {', '.join(item.value for item in ERASABLE)}"
        )
    if bool(kept) != bool(kept_why):
        raise BadRequestError(
            "classes are kept without a reason, or a reason is given and nothing kept",
            "give both or neither: the classes, and which ground of GDPR 17(3) holds",
        )
    erased = tuple(item for item in ERASABLE if item not in kept)
    if not erased:
        raise BadRequestError(
            "everything would be kept: that is no erasure", "record the refusal of the request instead"
        )
    return Decision(ground, erased, kept, kept_why, no_return)


def receipt_bytes(receipt: ErasureReceipt, *, tombstone: bool = False) -> bytes:
    """The receipt as it is stored beside the erasure's entry.

    Args:
        receipt: The receipt.
        tombstone: A tombstone is written with it, in a line of the journal that has a check value: the check asks for that.
    """
    value: dict[str, Any] = {
        "at": format_time(receipt.at),
        "backups_unreadable_by": receipt.backups_unreadable_by.isoformat(),
        "details": receipt.details,
        "erased": [item.value for item in receipt.erased],
        "ground": receipt.ground,
        "kept": [item.value for item in receipt.kept],
        "kept_why": receipt.kept_why,
        "payloads": receipt.payloads,
        "runs": receipt.runs,
        "values": receipt.values,
    }
    # Only where it was asked for, so that receipts of older ledgers keep their form.
    if receipt.no_return:
        value["no_return"] = True
    if tombstone:
        value["line_mac"] = True
    return encode(value)


def receipt_of(text: bytes, index: int) -> ErasureReceipt:
    """A stored receipt again."""
    value = json.loads(text)
    return ErasureReceipt(
        index=index,
        at=parse_time(value["at"]),
        ground=value["ground"],
        erased=tuple(RetentionClass(word) for word in value["erased"]),
        kept=tuple(RetentionClass(word) for word in value["kept"]),
        kept_why=value["kept_why"],
        payloads=value["payloads"],
        details=value["details"],
        runs=value["runs"],
        values=value["values"],
        backups_unreadable_by=date.fromisoformat(value["backups_unreadable_by"]),
        bytes_freed=False,
        dry_run=False,
        no_return=value.get("no_return", False),
    )
