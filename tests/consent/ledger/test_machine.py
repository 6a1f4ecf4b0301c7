"""Any sequence of what people, runs and operators do, against a naive model of it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consent.errors import ConsentChanged
from consent.records import ConsentReceiptRef, ConsentRequest
from consent.state import FOLLOWS
from consent.uses import UseRequest
from consent.vocabulary import ConsentStatus, UseStatus
from tests.consent.ledger_world import OFFER, make_world

S = ConsentStatus
PEOPLE = ["ann", "ben", "cia"]
people = st.sampled_from(PEOPLE)
statuses = st.sampled_from([S.REQUESTED, S.GIVEN, S.RENEWED, S.REFUSED, S.WITHDRAWN, S.REVOKED])
REASONS = {
    S.UNKNOWN: UseStatus.NO_CONSENT, S.REFUSED: UseStatus.REFUSED, S.WITHDRAWN: UseStatus.WITHDRAWN,
    S.EXPIRED: UseStatus.EXPIRED, S.REQUESTED: UseStatus.ONLY_REQUESTED, S.REVOKED: UseStatus.REVOKED,
}  # fmt: skip


@dataclass
class Model:
    """One person as a naive mind keeps them."""

    number: int | None = None
    events: list = field(default_factory=list)
    runs: list = field(default_factory=list)
    values: dict = field(default_factory=dict)

    def status(self, now) -> S:
        if not self.events:
            return S.UNKNOWN
        status, at = self.events[-1]
        return S.EXPIRED if status.permits and at + timedelta(days=365) <= now else status


class City(RuleBasedStateMachine):
    @initialize()
    def found(self) -> None:
        self.folder = TemporaryDirectory()
        self.world = make_world(Path(self.folder.name))
        self.ledger = self.world.open()
        self.model = {person: Model() for person in PEOPLE}
        self.used_numbers: set[int] = set()
        self.retries: list = []
        self.receipts: list = []
        self.runs: list = []

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            assert self.ledger.check() == []
            for receipt in self.receipts:
                self.world.verify(json.loads(receipt))
            self.ledger.close()
            self.folder.cleanup()

    def now(self):
        return self.world.clock.now

    def enrolled(self, person: str) -> None:
        if self.model[person].number is None:
            number = self.ledger.number_of(person)
            assert number not in self.used_numbers, "a number was given twice"
            self.used_numbers.add(number)
            self.model[person].number = number

    @rule(person=people)
    def enrol(self, person: str) -> None:
        number = self.ledger.enrol(person)
        self.enrolled(person)
        assert number == self.model[person].number

    @rule(person=people, status=statuses, bulk=st.booleans())
    def answer(self, person: str, status: S, *, bulk: bool) -> None:
        model = self.model[person]
        possible = status in FOLLOWS[model.status(self.now())]
        request = os.urandom(8).hex()
        if bulk and possible:
            [index] = self.ledger.record_consents([ConsentRequest(person, OFFER, status, request_id=request)])
        else:
            got = self.ledger.record_consent(
                person, OFFER, status, method="recorded by staff", request_id=request
            )
            assert isinstance(got, ConsentReceiptRef) == possible
            index = got.index if possible else None
        if possible:
            model.events.append((status, self.now()))
            self.enrolled(person)
            self.retries.append((person, status, request, index))

    @precondition(lambda self: self.retries)
    @rule(data=st.data())
    def answer_again(self, data) -> None:
        person, status, request, index = data.draw(st.sampled_from(self.retries))
        size = self.ledger.head().size
        assert self.ledger.record_consent(person, OFFER, status, request_id=request).index == index
        assert self.ledger.head().size == size

    @rule(used=st.sets(people, min_size=1), keep=st.booleans(), lie=st.booleans())
    def run(self, used: set[str], *, keep: bool, lie: bool) -> None:
        named = [person for person in sorted(used) if self.model[person].number is not None]
        if not named:
            return
        permitted = {person: self.model[person].status(self.now()).permits for person in named}
        codes = {
            p: UseStatus.SELECTED if permitted[p] or lie else REASONS[self.model[p].status(self.now())]
            for p in named
        }
        values = [f'{{"of":"{p}"}}'.encode() if codes[p].used else b"" for p in named] if keep else None
        use = UseRequest(
            run=os.urandom(16), processing="scoring", purpose_id=OFFER, service="x",
            numbers=[self.model[p].number for p in named], statuses=list(codes.values()),
            state=self.ledger.checkpoint(), values=values,
        )  # fmt: skip
        if lie and not all(permitted.values()):
            size = self.ledger.head().size
            with pytest.raises(ConsentChanged) as caught:
                self.ledger.append_use(use)
            assert set(caught.value.numbers) == {self.model[p].number for p in named if not permitted[p]}
            assert self.ledger.head().size == size
            return
        first = self.ledger.append_use(use)
        assert self.ledger.append_use(use).index == first.index
        self.runs.append(use.run)
        for person in named:
            self.model[person].runs.append((use.run, codes[person]))
            if values is not None and codes[person].used:
                self.model[person].values[use.run] = (
                    f'{{"of":"{person}"}}'.encode(),
                    self.now() + timedelta(days=30),
                )

    @rule(person=people)
    def take_receipts(self, person: str) -> None:
        model = self.model[person]
        if model.events:
            receipt = self.ledger.consent_receipt(person, OFFER)
            assert self.world.verify(receipt).consent.status == model.events[-1][0].value
            self.receipts.append(json.dumps(receipt))
        for run, status in model.runs[-1:]:
            receipt = self.ledger.use_receipt(person, run)
            assert self.world.verify(receipt).use.status == status
            self.receipts.append(json.dumps(receipt))

    @rule(person=people)
    def erase(self, person: str) -> None:
        if self.model[person].number is None:
            return
        self.ledger.erase(person, ground="eu-gdpr:A17-1-b")
        self.model[person] = Model()
        self.retries = [entry for entry in self.retries if entry[0] != person]

    @rule(days=st.sampled_from([1, 31, 200]))
    def time_passes(self, days: int) -> None:
        self.world.clock.forward(days=days)
        self.ledger.adopt_purposes(self.world.home.purposes.read_text(encoding="utf-8"))
        # Something is written now and then, so that the clock stays believed.
        self.ledger.append_institutional(
            "policy", {"digest": "sha256:" + "0" * 64, "name": "p", "version": str(self.now())}
        )

    @rule()
    def purge(self) -> None:
        self.ledger.purge_values()
        for model in self.model.values():
            model.values = {run: kept for run, kept in model.values.items() if kept[1] > self.now()}

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = self.world.open()

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "ledger"):
            return
        head = self.ledger.head()
        assert (head.checkpoint.size, head.checkpoint.root) == (head.size, head.root)
        for person, model in self.model.items():
            assert self.ledger.number_of(person) == model.number
            record = next(r for r in self.ledger.consents(person) if r.purpose.id == OFFER)
            assert record.status is model.status(self.now())
            assert [event.status for event in record.history] == [status for status, _ in model.events]
            assert [(view.run, view.status) for view in self.ledger.uses(person)] == model.runs
            for run, (value, _) in model.values.items():
                assert self.ledger.values(person, run) == value


City.TestCase.settings = settings(
    max_examples=int(os.environ.get("LEDGER_EXAMPLES", "8")),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestCity = City.TestCase
