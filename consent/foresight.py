"""Say beforehand whether an answer can be recorded: the same rule as the ledger's, on what is on record now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import answering, consenting, representing, store_consents
from consent.state import NOTHING_ON_RECORD, ConsentState, refused_transition

if TYPE_CHECKING:
    from consent.ledger import Ledger
    from consent.records import ConsentRequest, TransitionRefused
    from consent.vocabulary import ConsentStatus


def foresee(ledger: Ledger, person: str, purpose_id: str, asked: ConsentStatus) -> TransitionRefused | None:
    """Say whether an answer could follow the present state; nothing is written.

    Args:
        ledger: The open ledger, perhaps read-only.
        person: The person's id; one not on record is as good as any.
        purpose_id: The purpose's id; its newest version is meant.
        asked: The answer.

    Returns:
        Why not; None when it could.

    Raises:
        UnknownPurpose: There is no such purpose.
    """
    purpose = ledger.purpose(purpose_id)
    record = next((each for each in ledger.consents(person) if each.purpose.id == purpose_id), None)
    state = NOTHING_ON_RECORD
    if record is not None and record.history:
        state = ConsentState(record.status, record.history[-1])
    refused = refused_transition(
        state, asked, purpose_version=purpose.version, notice_version=purpose.notice.version
    )
    log = ledger.log
    known = ledger.number_of(person) is not None
    return refused or log.returns.refused(log.pseudonym(person), asked, state.status, known=known)


def foresee_standing(ledger: Ledger, request: ConsentRequest) -> TransitionRefused | None:
    """Say whether whoever answers has the standing to, in a scope the purpose has; a young person's own no on record counts too.

    Args:
        ledger: The open ledger, perhaps read-only.
        request: The answer.

    Returns:
        Why not; None when it could.

    Raises:
        BadRequestError: The request is malformed.
        KeyMissingError, LedgerDamagedError: An earlier answer does not open as recorded.
    """
    now = ledger.log.now()
    consenting.check_request(request)
    representing.check(request, now.date())
    answering.check_scope(request, ledger.purpose(request.purpose_id))
    records = ledger.consents(request.person)
    status = next(each.status for each in records if each.purpose.id == request.purpose_id)
    own_no = answering.own_no_on_record(ledger.log, request)
    return representing.refused_answer(request, status, now, own_no)


def people_to_ask(ledger: Ledger, purpose_id: str) -> int:
    """How many people have a yes to a purpose that would end with its next version: given or renewed, and not run out.

    Args:
        ledger: The open ledger, perhaps read-only.
        purpose_id: The purpose's id.
    """
    with ledger.log.store.read() as connection:
        return store_consents.count_in_force(
            connection, purpose_id, at=store_consents.epoch(ledger.log.now())
        )
