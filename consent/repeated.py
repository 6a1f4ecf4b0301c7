"""Whether a request with an id that was used before is the same request.

What a request about a person asked for is kept as a digest under the person's own key: a digest under the pseudonym key
alone would tell whoever holds that key which entry is whose, by trying ids (docs/decisions/pseudonyms-in-backups.md).
"""

from __future__ import annotations

from hashlib import blake2s
from typing import TYPE_CHECKING

from consent import store_log, store_people
from consent.errors import RequestConflictError
from consent.vocabulary import RetentionClass

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consent.keys import Vault


def sealed_fingerprint(key: bytes, fingerprint: bytes) -> bytes:
    """What is stored of a fingerprint beside an entry about a person.

    Args:
        key: The person's key that seals the entry's payload, 32 bytes.
        fingerprint: Of what was asked for (`Log.fingerprint`).

    Returns:
        16 bytes.
    """
    return blake2s(fingerprint, key=key, digest_size=16, person=b"asked").digest()


def check_same(vault: Vault, connection: Connection, earlier: store_log.Answered, fingerprint: bytes) -> None:
    """Refuse a request id that was used for something else, given the entry of the database that it made.

    Raises:
        RequestConflictError: It was.
        KeyMissingError: The key of the person does not open.
    """
    opening = None if earlier.fingerprint is None else store_log.sealed_payload(connection, earlier.idx)
    if opening is not None:
        retention = RetentionClass.from_code(opening.retention)
        wrapped = store_people.wrapped_keys(connection, opening.retention, [opening.number])
        for number, key in vault.unwrap_all(retention, wrapped).items():
            if number == opening.number:
                fingerprint = sealed_fingerprint(key, fingerprint)
    check_same_request(earlier, fingerprint)


def check_same_request(earlier: store_log.Answered, fingerprint: bytes) -> None:
    """The same for fingerprints as they are; an erased request's content is not known any more.

    Raises:
        RequestConflictError: They differ.
    """
    if earlier.fingerprint is not None and earlier.fingerprint != fingerprint:
        raise RequestConflictError(
            "the request id was used before, for another request", "give every request an id of its own"
        )
