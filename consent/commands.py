"""`luvalla consent ...`: what people agreed to and what was done with their data, for whoever may open the ledger.

Only click, SQLAlchemy, cryptography and the standard library may load here (see consent/at_home.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from consent import answers, article_30, explained, lines, lost_runs, receipt_files, receipt_page, words
from consent.at_home import current_home, open_ledger
from consent.copy_options import out_option, receipt_format_option
from consent.errors import ConsentInputError
from consent.foresight import foresee, foresee_standing
from consent.options import (
    answer_language_option,
    as_of_options,
    dry_run_option,
    full_option,
    instant,
    json_option,
    language_option,
    person_option,
    request_id_option,
    respond,
)
from consent.records import ConsentRequest, Representation, TransitionRefused
from consent.vocabulary import ConsentStatus, GivenBy, OwnSay, Processing
from consent.witnessed import witnesses_of_log

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from consent.records import ConsentReceiptRef


_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--record", is_flag=True, help="The record of processing activities (GDPR 30(1)) instead.")
@as_of_options
@answer_language_option
@json_option
def purposes(
    *, record: bool, as_of_index: int | None, at: datetime | None, language: str, as_json: bool
) -> None:
    """List what people can say yes or no to: the purpose, its legal basis, and what stops if one says no."""
    with open_ledger(read_only=True) as ledger:
        known = ledger.purposes(at=instant(at), as_of=as_of_index)
    if record:
        rows = [article_30.activity(purpose, language) for purpose in known]
        respond({"processing_activities": rows}, article_30.lines(rows), as_json=as_json)
        return
    found = [answers.purpose(purpose, language) for purpose in known]
    respond({"purposes": found}, lines.purposes(found, language), as_json=as_json)


def _answering(status: ConsentStatus, name: str, help_text: str) -> click.Command:
    """Make one of the three commands that record an answer: the same options, so that a no is as easy as a yes."""

    @click.command(name=name, help=help_text)
    @click.argument("purpose")
    @person_option
    @language_option("The language of the notice that the person was shown.", default="fi")
    @click.option(
        "--given-by",
        type=click.Choice([who.value for who in GivenBy]),
        default=GivenBy.DATA_SUBJECT.value,
        show_default=True,
        help="Who answered.",
    )
    @click.option(
        "--method",
        default="recorded by staff",
        show_default=True,
        help="How the answer came, in a few words without names.",
    )
    @request_id_option
    @click.option(
        "--processing",
        type=click.Choice([kind.value for kind in Processing]),
        multiple=True,
        help="A kind of processing that the answer is about; repeat for several. All of the purpose's by default.",
    )
    @click.option(
        "--category",
        multiple=True,
        help="A category of data that the answer is about. All of the purpose's by default; a purpose needs all.",
    )
    @click.option(
        "--authority",
        help="What a guardian's or representative's authority rests on, such as 'guardian per population "
        "register'; their yes needs it. No names.",
    )
    @click.option("--mandate", help="The reference of the mandate, with --authority.")
    @click.option(
        "--own-say",
        type=click.Choice([say.value for say in OwnSay]),
        help="What the young person says beside their guardian.",
    )
    @click.option(
        "--signed-on", type=_DAY, help="The date on a paper form; the consent still holds only from now on."
    )
    @click.option(
        "--majority",
        type=_DAY,
        help="The 18th birthday: a guardian's consent ends then at the latest, and their yes needs it (or --born). Not stored.",
    )
    @click.option("--born", type=_DAY, help="The date of birth, where age matters. Not stored.")
    @dry_run_option
    @json_option
    @click.pass_context
    def command(
        ctx: click.Context,
        *,
        purpose: str,
        person: str,
        language: str,
        given_by: str,
        method: str,
        request_id: str | None,
        processing: tuple[str, ...],
        category: tuple[str, ...],
        authority: str | None,
        mandate: str | None,
        own_say: str | None,
        signed_on: datetime | None,
        majority: datetime | None,
        born: datetime | None,
        dry_run: bool,
        as_json: bool,
        renew: bool = False,
    ) -> None:
        if mandate is not None and authority is None:
            raise click.UsageError("--mandate needs --authority.")
        request = ConsentRequest(
            person,
            purpose,
            ConsentStatus.RENEWED if renew else status,
            language,
            GivenBy(given_by),
            method,
            request_id,
            processing or None,
            category or None,
            None if authority is None else Representation(authority, mandate),
            None if own_say is None else OwnSay(own_say),
            None if signed_on is None else signed_on.date(),
            None if majority is None else majority.date(),
            None if born is None else born.date(),
        )
        asked = ConsentStatus.RENEWED if renew else status
        told = words.language_of_environment()
        outcome: ConsentReceiptRef | TransitionRefused | None
        with open_ledger(read_only=dry_run) as ledger:
            title = words.pick(ledger.purpose(purpose).title, told)
            if dry_run:
                outcome = foresee(ledger, person, purpose, asked) or foresee_standing(ledger, request)
            else:
                outcome = ledger.record(request)
        if isinstance(outcome, TransitionRefused):
            answer = answers.not_recorded(outcome, purpose, told)
            respond(answer, lines.not_recorded(answer, title, told), as_json=as_json)
            ctx.exit(1)
        answer = (
            answers.foreseen(purpose, asked, told) if outcome is None else answers.recorded(outcome, told)
        )
        respond(answer, lines.recorded(answer, title, told), as_json=as_json)

    return command


_EXIT_ONE = "Exit code 1: it cannot follow the present state; nothing is recorded, and the reason is told."
give = _answering(
    ConsentStatus.GIVEN,
    "give",
    f"Record a yes to PURPOSE (an id of `luvalla consent purposes`).\n\n"
    f"Example: `luvalla consent give health-benefit.offer --person - --language sv`.\n\n{_EXIT_ONE}",
)
give.params.append(
    click.Option(["--renew"], is_flag=True, help="Extend a consent in force, or one that has run out.")
)
refuse = _answering(
    ConsentStatus.REFUSED,
    "refuse",
    f"Record a no to PURPOSE (an id of `luvalla consent purposes`).\n\n"
    f"Example: `luvalla consent refuse health-benefit.offer --person -`.\n\n{_EXIT_ONE}",
)
withdraw = _answering(
    ConsentStatus.WITHDRAWN,
    "withdraw",
    f"Record a change of mind about PURPOSE: the next run leaves the person out.\n\n"
    f"Example: `luvalla consent withdraw health-benefit.offer --person -`.\n\n{_EXIT_ONE}",
)
ask = _answering(
    ConsentStatus.REQUESTED,
    "ask",
    f"Record that a person was shown the notice of PURPOSE and asked; not an answer: it permits nothing.\n\n"
    f"Example: `luvalla consent ask health-benefit.offer --person - --language sv`.\n\n{_EXIT_ONE}",
)
revoke = _answering(
    ConsentStatus.REVOKED,
    "revoke",
    "Record that the controller ends a consent to PURPOSE, such as for a service that ends: the next run leaves the person "
    f"out.\n\nExample: `luvalla consent revoke health-benefit.offer --person - --dry-run`.\n\n{_EXIT_ONE}",
)


@click.command()
@person_option
@as_of_options
@answer_language_option
@json_option
def show(*, person: str, as_of_index: int | None, at: datetime | None, language: str, as_json: bool) -> None:
    """Show what one person agreed to, since when and until when, for every purpose."""
    with open_ledger(read_only=True) as ledger:
        records = ledger.consents(person, at=instant(at), as_of=as_of_index)
        found = [answers.consent(record, language) for record in records]
    respond({"consents": found}, lines.consents(found, language), as_json=as_json)


@click.command()
@person_option
@as_of_options
@answer_language_option
@json_option
def uses(*, person: str, as_of_index: int | None, at: datetime | None, language: str, as_json: bool) -> None:
    """List every recorded use of one person's data: who, for what, on what basis, which model, when, with what result.

    Runs that left the person out stand in the list too, with the reason; and runs of which it cannot be said any more.
    """
    with open_ledger(read_only=True) as ledger:
        views = ledger.uses(person, at=instant(at), as_of=as_of_index)
        views = sorted(views, key=lambda view: view.index, reverse=True)
        found = [answers.use(view, language) for view in views]
        lost = [
            lost_runs.answer(each, language)
            for each in reversed(ledger.lost_runs(at=instant(at), as_of=as_of_index))
        ]
        witnesses = witnesses_of_log(ledger.log)
    respond(
        {"uses": found, "lost": lost, "not_proved": words.not_proved(language, witnesses)},
        lines.uses(found, language, lost),
        as_json=as_json,
    )


@click.command()
@person_option
@click.option("--run", required=True, help="The run's id, as `luvalla consent uses` lists it.")
@full_option
@answer_language_option
@json_option
def why(*, person: str, run: str, full: bool, language: str, as_json: bool) -> None:
    """Tell why a run came out as it did for one person, selected or not, and how to contest it."""
    wanted = answers.parse_run(run)
    with open_ledger(read_only=True) as ledger:
        answer, view = explained.answer_why(ledger, person, wanted, language)
    told = answers.why(answer, view, full=full or as_json)
    respond(told, lines.why(told, language), as_json=as_json)


@click.command()
@person_option
@click.option("--purpose", help="The newest answer to this purpose.")
@click.option("--run", help="What this run did with the person's data, also if nothing.")
@out_option
@receipt_format_option
@answer_language_option
@json_option
def receipt(
    *,
    person: str,
    purpose: str | None,
    run: str | None,
    out: Path | None,
    form: str,
    language: str,
    as_json: bool,
) -> None:
    """Write a receipt that proves itself offline: give it to the person, and `luvalla verify` checks it anywhere.

    The file holds what it proves in the clear: it belongs to the person, and to nobody else.
    """
    if (purpose is None) == (run is None):
        raise click.UsageError("Name one of --purpose and --run.")
    if out is not None and out.exists():
        raise ConsentInputError(
            f"there is already a file {out}", "Name a new file: a receipt replaces nothing."
        )
    home = current_home()
    with open_ledger(read_only=True) as ledger:
        if purpose is not None:
            ledger.purpose(purpose)  # an unknown purpose is told with the nearest names
            written, about = ledger.consent_receipt(person, purpose), purpose
        else:
            wanted = answers.parse_run(run or "")
            written, about = ledger.use_receipt(person, wanted), answers.run_text(wanted)
    path = out or receipt_files.default_path(home, written, about, receipt_page.SUFFIXES[form])
    if out is None:
        home.receipts.mkdir(mode=0o700, exist_ok=True)
    receipt_files.save_text(receipt_page.written(written, form, language), path)
    respond(
        {"file": str(path), "type": written["type"], "summary": written["summary"]},
        [str(path)],
        as_json=as_json,
    )
