"""Purposes and notices in the log: which versions are new, and their entries."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from consent import store_consents
from consent.canonical import digest, encode
from consent.errors import PurposesError, UnknownPurpose
from consent.personal_data import unknown_term
from consent.purposes import encoded, notice_digests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from consent.records import Purpose
    from consent.writing import Writing

Purposes = dict[tuple[str, int], "Purpose"]
"""Every version on record, by id and version."""


def new_versions(purposes: Sequence[Purpose], known: Mapping[tuple[str, int], Purpose]) -> list[Purpose]:
    """Which of some purposes are not on record yet, by id and version; the only place that says what may be added.

    Args:
        purposes: The purposes that should be on record.
        known: Those that are.

    Raises:
        PurposesError: A version or a notice that is on record reads otherwise, a version is skipped, or a category
            has a prefix of DPV and is no term of DPV 2.3 (of a version that is on record that is not asked).
    """
    notices = {(each.notice.id, each.notice.version): each.notice for each in known.values()}
    latest = {purpose_id: max(v for i, v in known if i == purpose_id) for purpose_id, _ in known}
    found: list[Purpose] = []
    for purpose in sorted(purposes, key=lambda item: (item.id, item.version)):
        earlier = known.get((purpose.id, purpose.version))
        if earlier is not None:
            if earlier != purpose:
                raise PurposesError(
                    f"purpose `{purpose.id}` version {purpose.version} is on record with other content",
                    "what people agreed to never changes: give the changed purpose the next version",
                )
            continue
        if purpose.version != latest.get(purpose.id, 0) + 1:
            raise PurposesError(
                f"purpose `{purpose.id}` version {purpose.version} does not follow version {latest.get(purpose.id, 0)}",
                "versions count 1, 2, 3 ...",
            )
        notice = purpose.notice
        if notices.setdefault((notice.id, notice.version), notice) != notice:
            raise PurposesError(
                f"notice `{notice.id}` version {notice.version} is on record with another text",
                "a notice's text never changes: give the changed text the next version",
            )
        for category in purpose.categories:
            if wrong := unknown_term(category):
                raise PurposesError(f"purpose `{purpose.id}` version {purpose.version}: {wrong[0]}", wrong[1])
        latest[purpose.id] = purpose.version
        found.append(purpose)
    return found


def append_purposes(
    writing: Writing, purposes: Sequence[Purpose], *, known: Mapping[tuple[str, int], Purpose]
) -> list[int]:
    """Append what is new of some purposes and their notices; returns the indices.

    Args:
        writing: The transaction.
        purposes: The purposes that should be on record.
        known: Those that are.

    Raises:
        PurposesError: As `new_versions`; nothing is appended.
    """
    notices = {(each.notice.id, each.notice.version) for each in known.values()}
    purpose_rows, notice_rows, indices = [], [], []
    for purpose in new_versions(purposes, known):
        document = encoded(purpose)
        body = {"digest": digest(document), "id": purpose.id, "version": purpose.version}
        index = writing.institutional("purpose", body)
        purpose_rows.append(
            {"id": purpose.id, "version": purpose.version, "idx": index, "document": document}
        )
        indices.append(index)
        notice = purpose.notice
        body = {
            "id": notice.id,
            "languages": notice_digests(notice),
            "purpose": purpose.id,
            "purpose_version": purpose.version,
            "version": notice.version,
        }
        index = writing.institutional("notice", body)
        if (notice.id, notice.version) not in notices:
            texts = encode(dict(notice.texts))
            notice_rows.append({"id": notice.id, "version": notice.version, "idx": index, "texts": texts})
            notices.add((notice.id, notice.version))
        indices.append(index)
    store_consents.insert_purposes(writing.connection, purpose_rows, notice_rows)
    return indices


def newest(purposes: Purposes) -> dict[str, Purpose]:
    """The newest version of every purpose, by id, in order."""
    found: dict[str, Purpose] = {}
    for (purpose_id, _), purpose in sorted(purposes.items()):
        found[purpose_id] = purpose
    return found


def in_force(connection: Connection, purpose_id: str, *, size: int | None, at: int | None) -> Purpose:
    """The version of a purpose that was the newest at a size of the log and an instant (epoch seconds), where given.

    Of a purpose that was not on record yet the first version is meant, for which nobody can have a consent by then.

    Raises:
        UnknownPurpose: It is not on record at all.
    """
    everything = store_consents.purposes(connection)
    latest = find(everything, purpose_id)
    if size is None and at is None:
        return latest
    then = newest(store_consents.purposes(connection, size=size, at=at))
    return then.get(purpose_id) or find(everything, purpose_id, 1)


def find(purposes: Purposes, purpose_id: str, version: int | None = None) -> Purpose:
    """One purpose, its newest version unless another is asked for.

    Raises:
        UnknownPurpose: It is not on record.
    """
    latest = newest(purposes)
    if purpose_id not in latest:
        near = difflib.get_close_matches(purpose_id, latest, n=3, cutoff=0.4) or sorted(latest)[:3]
        raise UnknownPurpose(
            f"there is no purpose `{purpose_id[:80]}`",
            f"did you mean {' or '.join(f'`{name}`' for name in near)}?",
        )
    if version is None:
        return latest[purpose_id]
    try:
        return purposes[purpose_id, version]
    except KeyError as error:
        raise UnknownPurpose(
            f"purpose `{purpose_id}` has no version {version}",
            f"its newest version is {latest[purpose_id].version}",
        ) from error
