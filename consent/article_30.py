"""The purposes as the record of processing activities of GDPR 30(1), and what a changed purposes file would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consent.words import pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from consent.records import Purpose

_ASKED = {
    "controller": "30(1)(a)",
    "contact": "30(1)(a)",
    "data_protection_officer": "30(1)(a)",
    "purpose": "30(1)(b)",
    "data_subjects": "30(1)(c)",
    "categories": "30(1)(c)",
    "recipients": "30(1)(d)",
    "transfers": "30(1)(e)",
    "erasure_after_days": "30(1)(f)",
    "security_measures": "30(1)(g)",
}
"""Which point of the article asks for what."""
_MAY_BE_NONE = frozenset({"recipients", "transfers"})
_WIDENING = ("processing", "categories", "recipients", "data_subjects", "transfers")


def activity(purpose: Purpose, language: str) -> dict[str, Any]:
    """One processing activity; `missing` names the points of GDPR 30(1) that the purpose does not state."""
    row: dict[str, Any] = {
        "id": purpose.id,
        "version": purpose.version,
        "controller": purpose.controller,
        "contact": purpose.contact,
        "data_protection_officer": purpose.data_protection_officer,
        "purpose": pick(purpose.description, language),
        "legal_basis": purpose.legal_basis,
        "processing": list(purpose.processing),
        "data_subjects": list(purpose.data_subjects),
        "categories": list(purpose.categories),
        "recipients": list(purpose.recipients),
        "transfers": list(purpose.transfers),
        "erasure_after_days": purpose.retention_days,
        "security_measures": list(purpose.security_measures),
    }
    row["missing"] = [
        f"{key} ({point})"
        for key, point in _ASKED.items()
        if key not in _MAY_BE_NONE and row[key] in (None, "", [])
    ]
    return row


def lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The same as text; the names are those of the keys of purposes.toml."""
    for row in rows:
        yield f"{row['id']} version {row['version']}"
        for key, value in row.items():
            if key not in ("id", "version"):
                text = ", ".join(value) if isinstance(value, list) else value
                yield f"  {key}: {'-' if text in (None, '') else text}"


def changes(known: Sequence[Purpose], proposed: Sequence[Purpose]) -> list[dict[str, Any]]:
    """What adopting purposes would add to those on record.

    Args:
        known: The newest version of each purpose on record.
        proposed: Every purpose of a purposes file.

    Returns:
        For each new version, in order: id, version, `wider` (the keys that grew), and `ask_anew`: whether consents for
        the version before it no longer permit. They never do: a consent binds to the version it was given for.
    """
    newest = {purpose.id: purpose for purpose in known}
    found: list[dict[str, Any]] = []
    for purpose in sorted(proposed, key=lambda each: (each.id, each.version)):
        before = newest.get(purpose.id)
        if before is not None and purpose.version <= before.version:
            continue
        wider = (
            []
            if before is None
            else [key for key in _WIDENING if set(getattr(purpose, key)) - set(getattr(before, key))]
        )
        if before is not None and purpose.retention_days > before.retention_days:
            wider.append("retention_days")
        found.append(
            {"id": purpose.id, "version": purpose.version, "wider": wider, "ask_anew": before is not None}
        )
        newest[purpose.id] = purpose
    return found
