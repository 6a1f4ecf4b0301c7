"""`luvalla consent permit`: whether one person's data may be processed for a purpose, now or as of then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from consent import answers, words
from consent.at_home import open_ledger
from consent.options import (
    answer_language_option,
    as_of_options,
    instant,
    json_option,
    person_option,
    respond,
)
from consent.records import Permitted
from consent.vocabulary import Processing

if TYPE_CHECKING:
    from datetime import datetime

_YES: words.Texts = {"fi": "Sallittu", "sv": "Tillåtet", "en": "Permitted"}


@click.command()
@click.argument("purpose")
@click.argument("processing", type=click.Choice([kind.value for kind in Processing]))
@person_option
@as_of_options
@answer_language_option
@json_option
@click.pass_context
def permit(
    ctx: click.Context,
    *,
    purpose: str,
    processing: str,
    person: str,
    as_of_index: int | None,
    at: datetime | None,
    language: str,
    as_json: bool,
) -> None:
    """Say whether a person's data may be processed for PURPOSE: the same answer that a run would act on.

    With an earlier instant or size, the answer of that day: for the version of the purpose that was the newest then.
    Exit code 1: no, and why.

    Example: `luvalla consent permit health-benefit.offer scoring --person - --at 2026-11-24`.
    """
    with open_ledger(read_only=True) as ledger:
        decision = ledger.permit(person, purpose, processing, at=instant(at), as_of=as_of_index)
    told: dict[str, Any] = {"purpose": purpose, "processing": processing}
    if isinstance(decision, Permitted):
        expires = None if decision.expires is None else answers.time_text(decision.expires)
        told |= {"permitted": True, "index": decision.index, "expires": expires, "status": None}
        line = f"{words.pick(_YES, language)} ({decision.index})"
    else:
        said = words.result(decision.status, processing, language)
        told |= {"permitted": False, "index": None, "expires": None, "status": decision.status.word}
        told["reason_words"] = line = said
    respond(told, [line], as_json=as_json)
    ctx.exit(0 if isinstance(decision, Permitted) else 1)
