"""`luvalla consent object | restrict | lift | correct | rights`: rights recorded by staff, and those on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from consent import right_answers, right_records, right_words
from consent.at_home import open_ledger
from consent.options import (
    answer_language_option,
    as_of_options,
    dry_run_option,
    instant,
    json_option,
    person_option,
    request_id_option,
    respond,
)
from consent.right_records import RightRequest
from consent.vocabulary import Processing, Right, RightAnswer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import TypeVar

    Command = TypeVar("Command", bound=Callable[..., Any])


def _scope_options(command: Command) -> Command:
    for option in (
        click.option(
            "--purpose", multiple=True, help="A purpose concerned; repeat for several. All by default."
        ),
        click.option(
            "--processing",
            multiple=True,
            type=click.Choice([kind.value for kind in Processing]),
            help="A kind of processing concerned. All by default.",
        ),
        click.option(
            "--category",
            multiple=True,
            help="A category of data concerned, such as dpv-pd:Income. All by default.",
        ),
    ):
        command = option(command)
    return command


def _common_options(command: Command) -> Command:
    for option in (
        request_id_option,
        click.option(
            "--reason", help="Why it was decided so, in a few words without names; needed with `refused`."
        ),
        click.option(
            "--answer",
            type=click.Choice([answer.value for answer in RightAnswer]),
            default=RightAnswer.RECORDED.value,
            show_default=True,
            help="What was decided. Until it is refused, the person's word counts.",
        ),
    ):
        command = option(command)
    return person_option(answer_language_option(dry_run_option(json_option(command))))


def _record(
    right: Right, person: str, language: str, *, as_json: bool, dry_run: bool, answer: str, **fields: Any
) -> None:
    asked = RightRequest(person, right, answer=RightAnswer(answer), **fields)
    index: int | None = None
    with open_ledger(read_only=dry_run) as ledger:
        if dry_run:
            right_records.foresee(ledger.log, asked)
        else:
            index = right_records.record(ledger.log, asked).index
            ledger.checkpoint()
    told = {"recorded": not dry_run, "index": index, "right": right.value, "answer": answer}
    respond(told, [right_words.recorded(right.value, answer, index, language)], as_json=as_json)


def _limiting(name: str, right: Right, ground: str, help_text: str) -> click.Command:
    @click.command(name=name, help=help_text)
    @click.option("--ground", default=ground, show_default=True, help="On what ground. No names.")
    @_scope_options
    @_common_options
    def command(
        *,
        person: str,
        language: str,
        as_json: bool,
        dry_run: bool,
        ground: str,
        purpose: tuple[str, ...],
        processing: tuple[str, ...],
        category: tuple[str, ...],
        answer: str,
        reason: str | None,
        request_id: str | None,
    ) -> None:
        _record(
            right, person, language, as_json=as_json, dry_run=dry_run, answer=answer, ground=ground, purposes=purpose,
            processing=processing, categories=category, reason=reason, request_id=request_id,
        )  # fmt: skip

    return command


object_ = _limiting(
    "object",
    Right.OBJECTION,
    "eu-gdpr:A21",
    "Record an objection (GDPR 21): runs in its scope leave the person out from now on, until it is withdrawn.\n\n"
    "Example: `luvalla consent object --person - --processing scoring`.",
)
restrict = _limiting(
    "restrict",
    Right.RESTRICTION,
    "eu-gdpr:A18",
    "Record a restriction (GDPR 18): runs in its scope leave the person out from now on, until it is lifted.\n\n"
    "Example: `luvalla consent restrict --person - --reason 'accuracy is contested'`.",
)


@click.command()
@click.option("--objection", is_flag=True, help="Withdraw an objection; without it a restriction is lifted.")
@click.option("--ground", required=True, help="On what ground, such as the person's word. No names.")
@_scope_options
@_common_options
def lift(
    *,
    objection: bool,
    person: str,
    language: str,
    as_json: bool,
    dry_run: bool,
    ground: str,
    purpose: tuple[str, ...],
    processing: tuple[str, ...],
    category: tuple[str, ...],
    answer: str,
    reason: str | None,
    request_id: str | None,
) -> None:
    """Lift a restriction, or withdraw an objection, for all or a part of its scope.

    Example: `luvalla consent lift --objection --person - --ground word`.
    """
    right = Right.OBJECTION_WITHDRAWN if objection else Right.RESTRICTION_LIFTED
    _record(
        right, person, language, as_json=as_json, dry_run=dry_run, answer=answer, ground=ground, purposes=purpose,
        processing=processing, categories=category, reason=reason, request_id=request_id,
    )  # fmt: skip


@click.command()
@click.argument("index", type=click.IntRange(min=0))
@click.option("--ground", default="eu-gdpr:A16", show_default=True, help="On what ground. No names.")
@_common_options
def correct(
    *,
    index: int,
    person: str,
    language: str,
    as_json: bool,
    dry_run: bool,
    ground: str,
    answer: str,
    reason: str | None,
    request_id: str | None,
) -> None:
    """Record that the consent at INDEX was recorded wrongly (GDPR 16).

    Where it is the person's newest word, it is found invalid in the same step; unless the answer is `refused`.

    Example: `luvalla consent correct 17 --person -`.
    """
    _record(
        Right.RECTIFICATION, person, language, as_json=as_json, dry_run=dry_run, answer=answer, ground=ground, corrects=index,
        reason=reason, request_id=request_id,
    )  # fmt: skip


@click.command()
@person_option
@as_of_options
@answer_language_option
@json_option
def rights(
    *, person: str, as_of_index: int | None, at: datetime | None, language: str, as_json: bool
) -> None:
    """List the rights that a person exercised, and which processing leaves them out because of an objection or restriction.

    Example: `luvalla consent rights --person - --language fi`.
    """
    with open_ledger(read_only=True) as ledger:
        told = right_answers.rights(ledger, person, language, at=instant(at), as_of=as_of_index)
    respond(told, right_answers.lines(told, language), as_json=as_json)
