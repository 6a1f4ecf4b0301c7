"""Large ledgers that are whole: every entry encrypted, projected and in the tree, so that `luvalla ledger check` accepts them.

Written by the product's own code for one transaction (`consent.writing`), in larger transactions than it makes. What differs
from a ledger that a city filled: pseudonyms and request ids ascend, so that their indexes grow at one end, and nobody asked
whether anything had been recorded before.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ledger_city import OFFER

from consent import store_consents
from consent.canonical import digest, format_time
from consent.fsck import uncollected
from consent.purposing import find
from consent.vocabulary import ConsentStatus, RetentionClass, processing_mask

if TYPE_CHECKING:
    from consent.ledger import Ledger
    from consent.records import Purpose
    from consent.writing import Writing

BATCH = 50_000
"""People of one transaction."""
STARTED_S = 60.0
"""Seconds between two lines that say how far it is."""
_ID = 16


def fill_whole(ledger: Ledger, people: int) -> list[bytes]:
    """Enrol people, each with one consent: two entries each; returns their pseudonyms."""
    log = ledger.log
    start = said = time.monotonic()
    with log.store.read() as connection:
        purpose = find(store_consents.purposes(connection), OFFER)
    # Bulk permits find people by the first eight bytes: those must differ.
    pseudonyms = [2 * number.to_bytes(_ID // 2, "big") for number in range(people)]
    for first in range(0, people, BATCH):
        with log.writing() as writing, uncollected():
            body = _body(purpose, format_time(writing.at))
            for pseudonym in pseudonyms[first : first + BATCH]:
                _person(writing, pseudonym, purpose, body)
        if time.monotonic() - said > STARTED_S:
            said = time.monotonic()
            print(f"{first + BATCH:,} of {people:,} people in {said - start:.0f} s", flush=True)
    ledger.checkpoint()
    return pseudonyms


def _body(purpose: Purpose, at: str) -> dict[str, object]:
    """What everybody said: yes, in English, for as long as the purpose's consents last."""
    expires = f"{int(at[:4]) + 1}{at[4:]}".replace("-02-29", "-02-28")
    return {
        "categories": list(purpose.categories),
        "expires": expires,
        "given_by": "data-subject",
        "language": "en",
        "method": "web",
        "notice": purpose.notice.id,
        "notice_digest": digest(purpose.notice.texts["en"].encode()),
        "notice_version": purpose.notice.version,
        "processing": list(purpose.processing),
        "status": ConsentStatus.GIVEN.value,
    }


def _person(writing: Writing, pseudonym: bytes, purpose: Purpose, body: dict[str, object]) -> None:
    enrolled = writing.size
    person, keys = writing.enrol(pseudonym, request=enrolled.to_bytes(_ID, "big"), many=True)
    request = writing.size.to_bytes(_ID, "big")
    evidence = keys[RetentionClass.EVIDENCE]
    index = writing.consent(person, evidence, body, purpose, request=request, fingerprint=None)
    writing.project_event(
        {
            "idx": index,
            "number": person.number,
            "purpose": purpose.id,
            "purpose_version": purpose.version,
            "notice_version": purpose.notice.version,
            "status": ConsentStatus.GIVEN.code,
            "processing": processing_mask(list(purpose.processing)),
            "expires": store_consents.epoch_of_text(str(body["expires"])),
        }
    )
