"""Ask the ledger why one run came out as it did for one person: the shell around ``consent.why``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import why
from consent.errors import UnknownRunError

if TYPE_CHECKING:
    from consent.ledger import Ledger
    from consent.uses import UseView
    from consent.why import Why


def find_use(ledger: Ledger, person: str, run: bytes) -> UseView:
    """Find one run among the uses of a person.

    Args:
        ledger: The open ledger.
        person: The person's id.
        run: The run's id, 16 bytes.

    Returns:
        The use as the person is told of it.

    Raises:
        UnknownRunError: No such run, or it neither used nor left out this person: the two are not told apart.
        RunPeopleLostError: The run is on record, and whom it used is lost.
    """
    for view in ledger.uses(person):
        if view.run == run:
            return view
    if any(each.run == run for each in ledger.lost_runs()):
        ledger.explanation(run)  # says what is lost
    raise UnknownRunError(
        "no run of this id used this person's data or left them out",
        "`luvalla consent uses` lists the runs with their ids",
    )


def answer_why(ledger: Ledger, person: str, run: bytes, language: str) -> tuple[Why, UseView]:
    """Answer why a run came out as it did for a person, from what was kept on that day.

    Args:
        ledger: The open ledger.
        person: The person's id.
        run: The run's id, 16 bytes.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        The answer and the use it is about.

    Raises:
        UnknownRunError: See ``find_use``.
        ConsentEvidenceError: What was kept and the run's explanation do not fit each other.
    """
    view = find_use(ledger, person, run)
    return (
        why.explain(
            ledger.values(person, run) if view.values_kept else None,
            ledger.explanation(run),
            code=view.status,
            processing=view.processing,
            controller=view.controller,
            language=language,
        ),
        view,
    )
