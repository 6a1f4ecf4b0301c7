"""Erasing a list of people, who may come back, and what a dry run lays before whoever decides."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from consent import erasure, erasure_journal, receipt_files, store_erasure
from consent.canonical import b64u
from consent.erase_command import erase
from consent.erasure_journal import read_lines
from consent.errors import (
    BadRequestError,
    LedgerUnavailableError,
    RequestConflictError,
    ReturnRefusedError,
    UnknownPersonError,
)
from consent.foresight import foresee
from consent.records import ConsentReceiptRef, ConsentRequest, TransitionRefused
from consent.vocabulary import ConsentStatus, RetentionClass, Right, RightAnswer, UseStatus
from tests.consent.ledger_world import OFFER, make_world, purposes_text, use_request

if TYPE_CHECKING:
    from pathlib import Path

    from consent.ledger import Ledger
    from consent.uses import UseRequest
    from tests.consent.ledger_world import World

S = ConsentStatus
GROUND = "eu-gdpr:A17-1-b"
GONE = [f"gone-{i}" for i in range(6)]
OTHERS = [f"p{i}" for i in range(6)]


@pytest.fixture
def run(ledger: Ledger) -> bytes:
    """A run with values over everybody."""
    return a_run(ledger).run


def a_run(ledger: Ledger) -> UseRequest:
    people = [*GONE, *OTHERS]
    ledger.record_consents([ConsentRequest(person, OFFER, S.GIVEN) for person in people])
    use = use_request(ledger, dict.fromkeys(people, UseStatus.USED), values=[b'{"a":1}'] * len(people))
    ledger.append_use(use)
    return use


def test_a_list_is_erased_at_once_and_everyone_else_s_proofs_hold(
    ledger: Ledger, world: World, run: bytes
) -> None:
    before = ledger.use_receipt("p1", run)
    foreseen = ledger.erase_many([*GONE, "stranger"], ground=GROUND, dry_run=True)
    assert ledger.number_of("gone-0") is not None
    done = ledger.erase_many([*GONE, "stranger"], ground=GROUND)
    assert done[-1] is None
    for planned, each in zip(foreseen[:-1], done[:-1], strict=True):
        assert (each.payloads, each.runs, each.values, each.bytes_freed) == (2, 1, 1, True)
        assert (planned.payloads, planned.runs, planned.values, planned.index) == (2, 1, 1, None)
    assert sorted(each.index for each in done[:-1]) == list(range(ledger.head().size - 6, ledger.head().size))
    assert [ledger.number_of(person) for person in GONE] == [None] * 6
    assert len(world.home.erasure_journal.read_text().splitlines()) == 6
    world.verify(before)
    for person in OTHERS:
        assert world.verify(ledger.use_receipt(person, run)).use.values == '{"a":1}'
    assert ledger.check() == []


def test_a_repeated_list_is_answered_with_the_first_receipts(ledger: Ledger, run: bytes) -> None:
    first = ledger.erase_many(GONE, ground=GROUND, request_id="list-1")
    size = ledger.head().size
    assert ledger.erase_many(GONE, ground=GROUND, request_id="list-1") == first
    assert ledger.head().size == size


def test_a_request_id_of_another_erasure_erases_nobody_and_says_so(ledger: Ledger, run: bytes) -> None:
    ledger.erase("gone-0", ground=GROUND, request_id="e1")
    with pytest.raises(RequestConflictError):
        ledger.erase("gone-1", ground=GROUND, request_id="e1")
    ledger.erase_many(GONE[1:3], ground=GROUND, request_id="list-1")
    with pytest.raises(RequestConflictError):
        ledger.erase_many(GONE[3:5], ground=GROUND, request_id="list-1")
    assert [ledger.number_of(person) is None for person in GONE] == [True, True, True, False, False, False]


def test_nobody_may_stand_twice_in_a_list(ledger: Ledger, run: bytes) -> None:
    with pytest.raises(BadRequestError, match="places 1 and 3"):
        ledger.erase_many(["gone-0", "gone-1", " GONE-0 "], ground=GROUND)
    assert ledger.number_of("gone-1") is not None


@pytest.mark.parametrize("written", [False, True])
def test_a_list_that_fails_at_the_journal_can_be_repeated(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch, *, written: bool
) -> None:
    """Failed: nothing is erased. Failed but was written: a repeated call, or the next opening, erases."""
    real = erasure.append_lines

    def fail(path: Path, lines: list) -> None:
        if written:
            real(path, lines[:4])
        raise LedgerUnavailableError("no", "")

    monkeypatch.setattr(erasure, "append_lines", fail)
    with pytest.raises(LedgerUnavailableError):
        ledger.erase_many(GONE, ground=GROUND, request_id="list-1")
    monkeypatch.undo()
    assert [ledger.number_of(person) is None for person in GONE] == [False] * 6
    with world.open() as again:
        assert [again.number_of(person) is None for person in GONE] == [written] * 4 + [False] * 2
        done = again.erase_many(GONE, ground=GROUND, request_id="list-1")
        assert all(done)
        assert [again.number_of(person) for person in GONE] == [None] * 6
        assert again.check() == []


@pytest.mark.parametrize("written", [False, True])
def test_a_list_whose_commit_fails_can_be_repeated(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch, *, written: bool
) -> None:
    """Not committed: the journal erases at the next opening. Committed and told as failed: the receipts are found."""
    real = ledger.log.store.write

    class Failing:
        def __enter__(self) -> object:
            self.inner = real()
            return self.inner.__enter__()

        def __exit__(self, *how: object) -> None:
            error = LedgerUnavailableError("the connection was lost", "")
            if written:
                self.inner.__exit__(None, None, None)
            else:
                self.inner.__exit__(LedgerUnavailableError, error, None)
            raise error

    monkeypatch.setattr(ledger.log.store, "write", Failing)
    with pytest.raises(LedgerUnavailableError):
        ledger.erase_many(GONE, ground=GROUND, request_id="list-1")
    monkeypatch.undo()
    # Somebody else's erasure in between must not hide the lines that wait.
    ledger.erase("p5", ground=GROUND)
    with world.open() as again:
        assert [again.number_of(person) for person in GONE] == [None] * 6
        assert all(again.erase_many(GONE, ground=GROUND, request_id="list-1"))
        assert again.check() == []
        assert len(again.uses("p1")) == 1


def test_a_journal_that_cannot_be_written_whole_keeps_nothing_of_it(
    ledger: Ledger, world: World, run: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.erase("p5", ground=GROUND)
    before = world.home.erasure_journal.read_bytes()
    real = os.write

    def full(handle: int, text: bytes) -> int:
        real(handle, bytes(text)[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(erasure_journal.os, "write", full)
    with pytest.raises(LedgerUnavailableError, match="No space"):
        ledger.erase_many(GONE, ground=GROUND)
    monkeypatch.undo()
    assert world.home.erasure_journal.read_bytes() == before
    assert ledger.number_of("gone-0") is not None


def test_an_erased_person_comes_back_as_somebody_new_unless_they_asked_otherwise(
    ledger: Ledger, world: World, run: bytes
) -> None:
    ledger.erase("gone-0", ground=GROUND)
    assert isinstance(ledger.record_consent("gone-0", OFFER, S.GIVEN), ConsentReceiptRef)
    assert not ledger.asked_not_to_return("gone-0")
    receipt = ledger.erase("gone-1", ground=GROUND, no_return=True, request_id="e")
    assert receipt.no_return
    assert ledger.erase("gone-1", ground=GROUND, no_return=True, request_id="e") == receipt
    for status in (S.REQUESTED, S.GIVEN, S.REFUSED):
        refused = ledger.record_consent("gone-1", OFFER, status)
        assert isinstance(refused, TransitionRefused)
        assert (refused.code, "not to be asked again" in refused.reason) == ("no-return", True)
        assert foresee(ledger, "gone-1", OFFER, status) == refused
    with pytest.raises(ReturnRefusedError, match="person 2 of 2"):
        ledger.enrol_many(["gone-0", "gone-1"])
    assert ledger.number_of("gone-1") is None
    # A right can be exercised by anybody; and a no always counts.
    ledger.record_right("gone-1", Right.ACCESS, ground="eu-gdpr:A15")
    assert isinstance(ledger.record_consent("gone-1", OFFER, S.GIVEN), TransitionRefused)
    assert isinstance(ledger.record_consent("gone-1", OFFER, S.REFUSED), ConsentReceiptRef)
    assert ledger.check() == []


def test_what_remembers_the_wish_finds_nobody_and_goes_when_it_is_taken_back(
    ledger: Ledger, world: World, run: bytes
) -> None:
    pseudonym = ledger.log.pseudonym("gone-1")
    ledger.erase("gone-0", ground=GROUND)
    ledger.erase("gone-1", ground=GROUND, no_return=True)
    lines = [json.loads(line) for line in world.home.erasure_journal.read_text().splitlines()]
    assert ["no_return" in line for line in lines] == [False, True]
    stone = lines[1]["no_return"]
    assert stone != b64u(pseudonym)
    with world.open() as again:
        assert again.asked_not_to_return("gone-1")
        assert again.allow_return("gone-1")
        assert not again.allow_return("gone-1")
    assert stone not in world.home.erasure_journal.read_text()
    # The other process's view follows the file.
    assert isinstance(ledger.record_consent("gone-1", OFFER, S.GIVEN), ConsentReceiptRef)
    assert ledger.check() == []


@pytest.mark.parametrize("instead", [None, b"m" * 16], ids=["taken out", "with a mark that is made up"])
def test_a_tombstone_taken_out_by_hand_is_a_fault_and_put_back_none(
    ledger: Ledger, world: World, run: bytes, instead: bytes | None
) -> None:
    ledger.erase("gone-0", ground=GROUND)
    receipt = ledger.erase("gone-1", ground=GROUND, no_return=True)
    journal = world.home.erasure_journal
    whole = journal.read_bytes()
    first, second = read_lines(journal)
    assert ledger.check() == []
    journal.write_bytes(
        b"".join(
            line.encode() + b"\n" for line in (first, replace(second, no_return=None, readmitted=instead))
        )
    )
    changed, fault = ledger.check()
    assert (changed.table, changed.key) == ("erasures.journal", "2")
    assert (fault.table, fault.index) == ("erasures.journal", receipt.index)
    assert "taken out by hand" in fault.what
    journal.write_bytes(whole)
    assert ledger.check() == []


def test_a_dry_run_lays_out_what_the_law_may_ask_to_keep(tmp_path: Path) -> None:
    world = make_world(tmp_path, purposes_text())
    with world.open() as ledger:
        ledger.record_consent("gone", OFFER, S.GIVEN)
        ledger.record_right("gone", Right.ACCESS, ground="eu-gdpr:A15", answer=RightAnswer.RECORDED)
        ledger.record_right("gone", Right.RESTRICTION, ground="eu-gdpr:A18-1-c")
        ledger.append_act("staff:kim", "vote", object_digest="sha256:" + "0" * 64, service=None, details={})
        found = ledger.erase("gone", ground=GROUND, dry_run=True).weigh
        assert {(each.ground, each.keep, each.count) for each in found} == {
            ("eu-gdpr:A17-3-b", RetentionClass.EVIDENCE, 1),
            ("eu-gdpr:A18-2", RetentionClass.EVIDENCE, 1),
            ("eu-gdpr:A12-3", RetentionClass.EVIDENCE, 1),
        }
        [acts] = ledger.erase("staff:kim", ground=GROUND, dry_run=True).weigh
        assert (acts.ground, acts.count) == ("eu-gdpr:A17-3-e", 1)
        assert ledger.erase("gone", ground=GROUND).weigh == ()


def test_the_house_s_own_copies_of_receipts_go_too(ledger: Ledger, world: World, run: bytes) -> None:
    for person in ("gone-0", "gone-1", "p1"):
        for receipt in (ledger.consent_receipt(person, OFFER), ledger.use_receipt(person, run)):
            path = receipt_files.default_path(world.home, receipt, OFFER)
            receipt_files.save(receipt, path)
    assert len(list(world.home.receipts.iterdir())) == 6
    ledger.erase_many(["gone-0", "gone-1"], ground=GROUND)
    left = [json.loads(path.read_text()) for path in world.home.receipts.iterdir()]
    assert {receipt["summary"]["number"] for receipt in left} == {ledger.number_of("p1")}
    assert len(left) == 2


def test_the_check_misses_a_lost_line_of_the_journal(ledger: Ledger, world: World, run: bytes) -> None:
    ledger.erase_many(GONE, ground=GROUND)
    lines = world.home.erasure_journal.read_bytes().splitlines(keepends=True)
    world.home.erasure_journal.write_bytes(b"".join(lines[:2] + lines[3:]))
    with ledger.log.store.read() as connection:
        third = store_erasure.erasure_requests(connection)[2][0]
    [fault] = ledger.check()
    assert (fault.table, fault.index) == ("erasures.journal", third)
    with pytest.raises(UnknownPersonError):
        ledger.erase("gone-0", ground=GROUND)


def test_the_command_erases_a_list_and_finishes_it_when_repeated(
    ledger: Ledger, world: World, run: bytes, tmp_path: Path
) -> None:
    world.clock.now = datetime.now(UTC).replace(microsecond=0)
    listed = tmp_path / "list"
    listed.write_text("\n".join([*GONE, "stranger"]) + "\n")
    command = ["--file", str(listed), "--ground", GROUND, "--json"]

    def call(*more: str) -> dict:
        done = CliRunner().invoke(erase, [*command, *more], obj={"home": world.home.path})
        assert done.exit_code == 0, done.stderr
        assert "gone-" not in done.output + done.stderr
        return json.loads(done.stdout)

    planned = call("--dry-run")
    assert (planned["dry_run"], planned["erased"], planned["not_on_record"]) == (True, 6, 1)
    assert ledger.number_of("gone-0") is not None
    first = call("--yes")
    assert (first["listed"], first["payloads"], first["bytes_freed"]) == (7, 12, True)
    assert call("--yes")["people"] == first["people"]
    assert ledger.number_of("gone-0") is None
