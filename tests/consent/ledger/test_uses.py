"""Recording runs, what people are told of them, and receipts."""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING

import numpy as np
import pytest

from consent.bulk import permits
from consent.canonical import digest
from consent.errors import (
    BadRequestError,
    ConsentChanged,
    RequestConflictError,
    UnknownPersonError,
    UnknownPurpose,
    UnknownRunError,
)
from consent.records import ConsentRequest
from consent.vocabulary import ConsentStatus, UseStatus
from tests.consent.ledger_world import DEVELOPMENT, MODEL, OFFER, START, use_request

if TYPE_CHECKING:
    from consent.ledger import Ledger
    from tests.consent.ledger_world import World

S = ConsentStatus


@pytest.fixture
def people(ledger: Ledger) -> dict[str, int]:
    """Ids with the status of a run in which each is somewhere else."""
    yes = ["yes", "chosen", "sampled", "unnamed"]
    ledger.record_consents([ConsentRequest(person, OFFER, S.GIVEN) for person in yes])
    ledger.record_consent("no", OFFER, S.REFUSED)
    ledger.enrol("silent")
    return {
        "yes": UseStatus.USED,
        "chosen": UseStatus.SELECTED,
        "sampled": UseStatus.SAMPLED,
        "no": UseStatus.REFUSED,
        "silent": UseStatus.NO_CONSENT,
    }


RESULTS = {
    "yes": "not-selected",
    "chosen": "selected",
    "sampled": "not-selected-reviewed",
    "no": "left-out",
    "silent": "left-out",
}


def test_everybody_sees_and_proves_what_a_run_did_with_them(
    ledger: Ledger, world: World, people: dict[str, int]
) -> None:
    values = [b'{"age":1}', b'{"age":2}', '{"city":"Jyväskylä"}'.encode(), b"", b""]
    use = use_request(
        ledger, people, values=values, explanation={"x": 0.5}, certificate="sha256:" + "ee" * 32
    )
    recorded = ledger.append_use(use)
    assert recorded.checkpoint.size == recorded.index + 1 == ledger.head().size
    for (person, status), value in zip(people.items(), values, strict=True):
        [view] = ledger.uses(person)
        assert (view.run, view.index, view.at, view.status, view.result) == (
            use.run, recorded.index, START, status, RESULTS[person],
        )  # fmt: skip
        assert (view.model, view.certificate, view.basis) == (MODEL, use.certificate, "eu-gdpr:A6-1-e")
        assert view.purpose_title["en"] == "title 1 en"
        assert (view.left_out_reason is not None) == (status >= 0x10)
        assert view.values_kept == bool(value)
        assert view.explained
        assert ledger.values(person, use.run) == (value or None)
        proved = world.verify(ledger.use_receipt(person, use.run)).use
        assert (proved.status, proved.values) == (status, value.decode() or None)
    assert ledger.uses("unnamed") == []
    assert world.verify(ledger.use_receipt("unnamed", use.run)).use.status == 0
    assert ledger.explanation(use.run) == {"x": 0.5}
    assert ledger.check() == []


def test_the_run_s_entry_says_no_counts_and_binds_everything(ledger: Ledger, people: dict[str, int]) -> None:
    state = ledger.checkpoint()
    use = use_request(ledger, people, explanation={"x": 1}, output="sha256:" + "aa" * 32)
    ledger.append_use(use)
    [run] = ledger.institutional("run")
    assert run.body["slots"] == 65_536
    assert run.body["state"]["size"] == state.size
    assert run.body["explanation"] == digest(b'{"x":1}')
    assert run.body["values_root"] is None
    assert run.body["output"] == use.output


def test_who_came_after_a_run_has_nothing_to_prove_about_it(
    ledger: Ledger, world: World, people: dict[str, int]
) -> None:
    use = use_request(ledger, people)
    ledger.append_use(use)
    ledger.record_consent("later", OFFER, S.GIVEN)
    with pytest.raises(UnknownPersonError):
        ledger.use_receipt("later", use.run)
    assert ledger.uses("later") == []
    assert world.verify(ledger.use_receipt("yes", use.run)).use.status == UseStatus.USED
    assert ledger.check() == []


def test_a_withdrawal_between_permit_and_record_stops_the_run(ledger: Ledger, people: dict[str, int]) -> None:
    use = use_request(ledger, people)
    ledger.record_consent("chosen", OFFER, S.WITHDRAWN)
    size = ledger.head().size
    with pytest.raises(ConsentChanged) as caught:
        ledger.append_use(use)
    assert caught.value.numbers == (ledger.number_of("chosen"),)
    assert caught.value.exit_code == 1
    assert ledger.head().size == size
    assert ledger.uses("yes") == []
    again = {**people, "chosen": UseStatus.WITHDRAWN}
    assert ledger.append_use(use_request(ledger, again)).index == size


def test_an_expiry_between_permit_and_record_stops_the_run(
    ledger: Ledger, world: World, people: dict[str, int]
) -> None:
    use = use_request(ledger, people)
    world.clock.forward(days=365)
    with pytest.raises(ConsentChanged) as caught:
        ledger.append_use(use)
    assert len(caught.value.numbers) == 3


def test_who_has_no_consent_can_only_be_left_out(ledger: Ledger, people: dict[str, int]) -> None:
    for person in ("no", "silent"):
        with pytest.raises(ConsentChanged):
            ledger.append_use(use_request(ledger, {person: UseStatus.USED}))


def test_a_repeated_run_returns_the_first_result(ledger: Ledger, people: dict[str, int]) -> None:
    use = use_request(ledger, people, values=[b"1", b"2", b"3", b"", b""])
    first = ledger.append_use(use)
    ledger.record_consent("yes", OFFER, S.WITHDRAWN)
    again = ledger.append_use(use)
    assert (again.index, again.replayed, first.replayed) == (first.index, True, False)
    assert len(ledger.institutional("run")) == 1
    with pytest.raises(RequestConflictError):
        ledger.append_use(use_request(ledger, people, run=use.run, values=[b"1", b"2", b"4", b"", b""]))


def test_any_sequence_will_do(ledger: Ledger, people: dict[str, int]) -> None:
    numbers = [ledger.number_of(person) for person in people]
    statuses = [int(status) for status in people.values()]
    for as_numbers, as_statuses in (
        (tuple(numbers), bytes(statuses)),
        (array("q", numbers), array("B", statuses)),
        (np.array(numbers), np.array(statuses, np.uint8)),
    ):
        ledger.append_use(use_request(ledger, people, numbers=as_numbers, statuses=as_statuses))
    assert [view.status for view in ledger.uses("no")] == [UseStatus.REFUSED] * 3


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"run": b"short"}, "16 random bytes"),
        ({"statuses": [1]}, "as many of each"),
        ({"values": [b"x"]}, "as many of each"),
        ({"numbers": [], "statuses": []}, "names nobody"),
        ({"numbers": [-1, 1, 2, 3, 4]}, "negative"),
        ({"numbers": [7, 7, 1, 2, 3]}, "twice"),
        ({"numbers": [2**70, 7, 1, 2, 3]}, "not a number"),
        ({"numbers": [1.5, 2, 3, 4, 5]}, "must be integers"),
        ({"statuses": [1, 2, 3, 0x11, 0x77]}, "not a code"),
        ({"certificate": "abc"}, "certificate is not a digest"),
        ({"output": "abc"}, "output is not a digest"),
        ({"processing": "gossip"}, "unknown processing"),
        ({"processing": "training"}, "does not cover training"),
        ({"values": [b"\xff", b"", b"", b"", b""]}, "not UTF-8"),
        ({"explanation": {"x": float("nan")}}, "not a JSON document"),
    ],
)
def test_malformed_runs_are_refused_and_write_nothing(
    ledger: Ledger, people: dict[str, int], wrong: dict, says: str
) -> None:
    size = ledger.head().size
    with pytest.raises(BadRequestError) as caught:
        ledger.append_use(use_request(ledger, people, **wrong))
    assert says in caught.value.message
    assert ledger.head().size == size


def test_a_number_that_is_nobody_s_is_refused(ledger: Ledger, people: dict[str, int]) -> None:
    taken = {ledger.number_of(person) for person in [*people, "unnamed"]}
    nobody = next(number for number in range(10) if number not in taken)
    with pytest.raises(BadRequestError, match="nobody's"):
        ledger.append_use(use_request(ledger, people, numbers=[nobody], statuses=[1]))


def test_a_training_run_selects_nobody(ledger: Ledger) -> None:
    ledger.record_consent("a", DEVELOPMENT, S.GIVEN)
    how = {"processing": "training", "purpose_id": DEVELOPMENT}
    with pytest.raises(BadRequestError, match="selects nobody"):
        ledger.append_use(use_request(ledger, {"a": UseStatus.SELECTED}, **how))
    ledger.append_use(use_request(ledger, {"a": UseStatus.USED}, **how))
    assert ledger.uses("a")[0].result == "used"


def test_a_state_of_another_log_is_refused(ledger: Ledger, people: dict[str, int]) -> None:
    state = ledger.checkpoint()
    forged = type(state)(type(state.head)(state.origin, state.size, bytes(32)), state.note)
    with pytest.raises(BadRequestError, match="not a checkpoint of this log"):
        ledger.append_use(use_request(ledger, people, state=forged))
    with pytest.raises(UnknownPurpose):
        ledger.append_use(use_request(ledger, people, purpose_id="other"))


def test_an_unknown_run_is_named(ledger: Ledger, people: dict[str, int]) -> None:
    for ask in (ledger.explanation, lambda run: ledger.use_receipt("yes", run)):
        with pytest.raises(UnknownRunError):
            ask(os.urandom(16))
        with pytest.raises(BadRequestError):
            ask(b"x")
    assert ledger.values("yes", os.urandom(16)) is None


def test_values_are_purged_when_their_time_is_over(
    ledger: Ledger, world: World, people: dict[str, int]
) -> None:
    mark = b"a value nobody else would have 8817236"
    use = use_request(ledger, people, values=[mark, b"2", b"3", b"", b""])
    ledger.append_use(use)
    world.clock.forward(days=30, seconds=-1)
    assert ledger.purge_values() == 0
    assert ledger.values("yes", use.run) == mark
    world.clock.forward(seconds=1)
    assert ledger.purge_values() == 3
    assert ledger.purge_values() == 0
    assert ledger.values("yes", use.run) is None
    assert not ledger.uses("yes")[0].values_kept
    verified = world.verify(ledger.use_receipt("yes", use.run))
    assert (verified.use.status, verified.use.values) == (UseStatus.USED, None)
    assert ledger.check() == []


def test_a_city_of_more_than_65536_numbers_has_larger_trees(ledger: Ledger, world: World) -> None:
    ledger.record_consent("a", OFFER, S.GIVEN)
    with ledger.log.writing() as writing:
        writing._numbers._start = 65_536
        writing._numbers._list()
        person, _ = writing.enrol(ledger.log.pseudonym("b"), many=True)
    ledger.checkpoint()
    assert 65_536 <= person.number < 131_072
    ledger.record_consent("b", OFFER, S.GIVEN)
    use = use_request(ledger, {"a": UseStatus.USED, "b": UseStatus.SELECTED})
    ledger.append_use(use)
    assert ledger.institutional("run")[0].body["slots"] == 131_072
    assert world.verify(ledger.use_receipt("b", use.run)).use.status == UseStatus.SELECTED


def test_bulk_permits_feed_a_run(ledger: Ledger, people: dict[str, int]) -> None:
    names = [*people, "stranger"]
    got = permits(ledger, names, OFFER, "scoring")
    assert got.counts() == {"permitted": 3, "no-consent": 2, "refused": 1}
    assert got.numbers[-1] == -1
    known = got.numbers >= 0
    statuses = np.where(got.permitted, UseStatus.USED, got.status)
    ledger.append_use(
        use_request(ledger, {}, numbers=got.numbers[known], statuses=statuses[known], state=got.state)
    )
    assert [ledger.uses(name)[0].status for name in people] == [1, 1, 1, 0x11, 0x10]
