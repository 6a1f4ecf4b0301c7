"""Runs whose list of people is gone: they are in the log, and nobody can say whom they used.

A restore loses what only the database had (docs/decisions/ledger-loss.md). They are told to everybody who asks, also to
somebody who is on record since: in what was lost they may have had another number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from consent import store_uses, words
from consent.answers import run_text, time_text
from consent.canonical import b64u_decode, parse_time
from consent.reading import institutional_act

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from consent.log import Log

TOLD: Final[Mapping[str, str]] = {
    "fi": "{at}: palvelun {service} ajo ({processing}) on kirjattu, mutta tieto siitä, keitä se koski, on kadonnut. Kukaan "
    "ei voi sanoa, käytettiinkö siinä tietojasi.",
    "sv": "{at}: en körning av {service} ({processing}) är registrerad, men uppgiften om vilka den gällde har gått "
    "förlorad. Ingen kan säga om den använde dina uppgifter.",
    "en": "{at}: a run of {service} ({processing}) is on record, but the record of whom it was about is lost. Nobody can "
    "say whether it used your data.",
}


@dataclass(frozen=True)
class LostRun:
    """A run about which it cannot be said whom it used.

    Attributes:
        run: The run's id, 16 bytes.
        index: Index of the run's entry.
        at: When, UTC.
        service: Id of the service.
        purpose_id: Id of the purpose.
        purpose_version: Its version.
        processing: A word of `Processing`.
    """

    run: bytes
    index: int
    at: datetime
    service: str
    purpose_id: str
    purpose_version: int
    processing: str


def lost_runs(log: Log) -> list[LostRun]:
    """See `Ledger.lost_runs`."""
    with log.store.read() as connection:
        found = store_uses.entries_without_run(connection)
    runs = []
    for index, raw in found:
        act = institutional_act(index, raw)
        body = act.body
        runs.append(
            LostRun(
                b64u_decode(body["run"]),
                index,
                parse_time(act.at),
                body["service"],
                body["purpose"],
                body["purpose_version"],
                body["processing"],
            )
        )
    return runs


def answer(lost: LostRun, language: str) -> dict[str, Any]:
    """Tell of a lost run: JSON values, the sentence in `words`."""
    processing = words.processing(lost.processing, language)
    at = time_text(lost.at)
    return {
        "run": run_text(lost.run),
        "at": at,
        "index": lost.index,
        "service": lost.service,
        "purpose": lost.purpose_id,
        "purpose_version": lost.purpose_version,
        "processing": lost.processing,
        "processing_words": processing,
        "words": words.pick(TOLD, language).format(
            at=f"{at[:10]} {at[11:16]} UTC", service=lost.service, processing=processing
        ),
    }
