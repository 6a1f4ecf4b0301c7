"""`luvalla consent erase` and `luvalla consent readmit`: one person or a list, and who may come back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import click

from consent import answers, lines
from consent.at_home import open_ledger
from consent.errors import ConsentInputError
from consent.options import PersonId, dry_run_option, json_option, person_option, respond
from consent.vocabulary import ERASABLE, RetentionClass

if TYPE_CHECKING:
    from typing import TextIO

    from consent.ledger import Ledger


@click.command()
@click.option(
    "--person",
    type=PersonId(),
    help="The person's id (for a city: the national identity code). '-' reads it from standard input.",
)
@click.option(
    "--file",
    "listed",
    type=click.File(encoding="utf-8"),
    help="Many people by one decision: a file with one id on each line; '-' reads standard input.",
)
@click.option(
    "--ground",
    required=True,
    help="The legal ground, such as eu-gdpr:A17-1-b (consent withdrawn). Recorded for good: no personal data.",
)
@click.option(
    "--keep",
    type=click.Choice([kind.value for kind in ERASABLE]),
    multiple=True,
    help="A class of data that a recorded decision keeps (GDPR 17(3)); repeat for several.",
)
@click.option("--kept-why", help="Why it is kept; needed with --keep. No personal data.")
@click.option(
    "--no-return",
    is_flag=True,
    help="The person asked not to be asked again: a new consent is refused until `luvalla consent readmit`.",
)
@click.option(
    "--request-id",
    help="Your id of this request: a repeated call with it finishes what was begun, and answers with the first receipt. "
    "For --file, by default, made from the list itself.",
)
@dry_run_option
@click.option("--yes", is_flag=True, help="Erase without asking once more.")
@json_option
def erase(
    *,
    person: str | None,
    listed: TextIO | None,
    ground: str,
    keep: tuple[str, ...],
    kept_why: str | None,
    no_return: bool,
    request_id: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Destroy what is kept of one person, or of a list; everyone else's proofs, earlier and later, still verify.

    It cannot be undone. The same person may return, and is then a new one to the ledger.

    Example: `luvalla consent erase --person - --ground eu-gdpr:A17-1-b --dry-run` says what would be erased, and what the
    law may ask to keep.
    """
    if (person is None) == (listed is None):
        raise click.UsageError("Name one of --person and --file.")
    people = [] if listed is None else _people(listed)
    if listed is not None and request_id is None:
        request_id = "list:" + hashlib.sha256("\n".join(people).encode()).hexdigest()

    def carry_out(ledger: Ledger, *, dry: bool) -> answers.Answer:
        how = {
            "ground": ground,
            "keep": [RetentionClass(kind) for kind in keep],
            "kept_why": kept_why,
            "no_return": no_return,
            "dry_run": dry,
            "request_id": request_id,
        }
        if person is not None:
            return answers.erasure(ledger.erase(person, **how))  # type: ignore[arg-type]
        return answers.erasures(ledger.erase_many(people, **how))  # type: ignore[arg-type]

    say = lines.erasures if person is None else lines.erasure
    with open_ledger(read_only=dry_run) as ledger:
        if not dry_run and not yes:
            for line in say(carry_out(ledger, dry=True)):
                click.echo(line, err=True)
            click.confirm("Erase this for good?", abort=True, err=True)
        answer = carry_out(ledger, dry=dry_run)
    respond(answer, say(answer), as_json=as_json)


@click.command()
@person_option
@dry_run_option
@json_option
def readmit(*, person: str, dry_run: bool, as_json: bool) -> None:
    """Take back that an erased person is not to be asked again, because they themselves want to come back.

    Nothing of the refusal stays, and nothing links them to what was erased: a consent from now on is that of a new person.

    Example: `luvalla consent readmit --person -`.
    """
    with open_ledger(read_only=dry_run) as ledger:
        found = ledger.asked_not_to_return(person) if dry_run else ledger.allow_return(person)
    verb = "would be taken back" if dry_run else "was taken back"
    told = f"a wish not to be asked again {verb}" if found else "no wish not to be asked again is on record"
    respond({"found": found, "dry_run": dry_run}, [told], as_json=as_json)


def _people(listed: TextIO) -> list[str]:
    """The ids of a list, one a line; never repeated in a message."""
    try:
        people = [line.strip() for line in listed if line.strip()]
    except UnicodeDecodeError as error:
        raise ConsentInputError(
            "the list of people is not UTF-8 text", "write one id on each line"
        ) from error
    if not people:
        raise ConsentInputError("the list of people is empty", "write one id on each line")
    return people
