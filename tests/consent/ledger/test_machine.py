"""Any sequence of what people, runs, operators and failing disks do, against a naive model of it, on both databases."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from consent import kek_rotation, rotation
from consent.bulk import permits
from consent.entries import PersonalEntry, parse_entry
from consent.errors import (
    BadRequestError,
    ConsentChanged,
    PublishedLogUnavailableError,
    RefillRefusedError,
    RefusedToSignError,
    ReturnRefusedError,
)
from consent.published_log import FolderFiles
from consent.records import ConsentReceiptRef, ConsentRequest, Permitted
from consent.refill import refill
from consent.restoring import restore
from consent.state import FOLLOWS
from consent.tlog.bundles import bundles
from consent.tlog.note import generate_key
from consent.trust import TrustRoot
from consent.trust_commands import _signers
from consent.uses import UseRequest
from consent.vocabulary import ERASABLE, Right, RightAnswer, UseStatus
from tests.consent.ledger_machine import PEOPLE, CityState, S
from tests.consent.ledger_model import CATEGORIES, ENDS, PROCESSING, Asked, Event, Model
from tests.consent.ledger_world import DEVELOPMENT, OFFER, ORIGIN, open_trust

people = st.sampled_from(PEOPLE)
statuses = st.sampled_from([S.REQUESTED, S.GIVEN, S.RENEWED, S.REFUSED, S.WITHDRAWN, S.REVOKED])
fates = st.sampled_from([None, None, False, True])
"""How a commit ends: well; with an error and nothing written; with an error although all was written."""


class City(CityState):
    """The rules: each does one thing to the ledger and to the model."""

    @rule(person=people)
    def enrol(self, person: str) -> None:
        if person in self.no_return and self.model[person].number is None:
            with pytest.raises(ReturnRefusedError):
                self.ledger.enrol(person)
            return
        number = self.ledger.enrol(person)
        self.enrolled(person)
        assert number == self.model[person].number

    @rule(person=people, status=statuses, bulk=st.booleans())
    def answer(self, person: str, status: S, *, bulk: bool) -> None:
        model = self.model[person]
        possible = self.possible(person, status)
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
            model.events.append(Event(index, status, self.now()))
            self.enrolled(person)
            self.retries.append((person, status, request, index))

    @precondition(lambda self: self.retries)
    @rule(data=st.data())
    def answer_again(self, data) -> None:
        person, status, request, index = data.draw(st.sampled_from(self.retries))
        size = self.ledger.head().size
        assert self.ledger.record_consent(person, OFFER, status, request_id=request).index == index
        assert self.ledger.head().size == size

    @rule(person=people, status=statuses, written=st.booleans(), crash=st.booleans())
    def answer_at_a_failing_commit(self, person: str, status: S, *, written: bool, crash: bool) -> None:
        if not self.possible(person, status):
            return
        request = os.urandom(8).hex()

        def act():
            return self.ledger.record_consent(person, OFFER, status, request_id=request)

        self.failed(act, written=written)
        if crash:
            self.reopen()
        got = act()
        assert got.replayed is written
        self.model[person].events.append(Event(got.index, status, self.now()))
        self.enrolled(person)
        self.retries.append((person, status, request, got.index))

    @rule(
        named=st.sets(people, min_size=1),
        keep=st.sets(st.sampled_from(ERASABLE), max_size=2),
        no_return=st.booleans(),
        fate=fates,
        crash=st.booleans(),
    )
    def erase(self, named: set[str], *, keep: set, no_return: bool, fate: bool | None, crash: bool) -> None:
        """One by one or many at once; a commit that fails was in the journal: whoever opens the ledger finishes it."""
        known = [person for person in sorted(named) if self.model[person].number is not None]
        request = os.urandom(8).hex()
        how = {
            "ground": "eu-gdpr:A17-1-b", "keep": keep, "kept_why": "eu-gdpr:A17-3-e" if keep else None,
            "no_return": no_return, "request_id": request,
        }  # fmt: skip

        def act() -> list:
            if len(named) == 1 and known:
                return [self.ledger.erase(known[0], **how)]
            return self.ledger.erase_many(sorted(named), **how)

        if fate is not None and known:
            self.failed(act, written=fate)
            if crash:
                self.reopen()
        done = act()
        assert [person in known for person in sorted(named)] == [each is not None for each in done]
        size = self.ledger.head().size
        assert [each and each.index for each in act()] == [each and each.index for each in done]
        assert self.ledger.head().size == size
        assert all(set(each.kept) == keep for each in done if each)
        for person in known:
            self.forget(person, keep)
            if no_return:
                self.no_return.add(person)

    @rule(person=people)
    def readmit(self, person: str) -> None:
        assert self.ledger.asked_not_to_return(person) is (person in self.no_return)
        assert self.ledger.allow_return(person) is (person in self.no_return)
        self.no_return.discard(person)

    @rule(
        person=people,
        right=st.sampled_from([Right.OBJECTION, Right.RESTRICTION, *ENDS, *Right]),
        answer=st.sampled_from(RightAnswer),
        purposes=st.sampled_from([[OFFER], [], [DEVELOPMENT], [DEVELOPMENT, OFFER]]),
        processing=st.sets(st.sampled_from(PROCESSING), max_size=1),
        categories=st.sets(st.sampled_from(CATEGORIES), max_size=1),
        data=st.data(),
    )
    def exercise(
        self, person: str, right: Right, answer: RightAnswer, purposes, processing, categories, data
    ) -> None:
        model = self.model[person]
        corrected = None
        if right is Right.RECTIFICATION and model.events:
            corrected = data.draw(st.sampled_from([None, *model.events]))
        request = os.urandom(8).hex()
        indices = {
            self.ledger.record_right(
                person, right, ground="eu-gdpr:A21", purposes=purposes, processing=processing, categories=categories,
                answer=answer, reason="why", corrects=corrected and corrected.index, request_id=request,
            )
            for _ in range(2)
        }  # fmt: skip
        [index] = indices
        self.enrolled(person)
        model.rights.append(Asked(index, right, answer, purposes, list(processing), list(categories)))
        newest = corrected is not None and corrected == model.events[-1]
        if (
            newest
            and answer is not RightAnswer.REFUSED
            and S.INVALIDATED in FOLLOWS[model.status(self.now())]
        ):
            model.events.append(Event(index + 1, S.INVALIDATED, self.now()))

    @rule()
    def rotate_the_log_key(self) -> None:
        home = self.world.home
        home.log_key.with_name("log.pem.old").unlink(missing_ok=True)
        root = TrustRoot.load(home.trust_root, open_trust(home))
        key = generate_key(ORIGIN)
        new = root.rotate_log_key(key.verifier, self.ledger.checkpoint().size + 1, _signers(root, home, ()))
        rotation.prepare(home.log_key, key)
        new.save(home.trust_root)
        rotation.put_in_place(home.log_key)
        rotation.record(self.ledger, new)

    @rule()
    def rotate_the_key_of_keys(self) -> None:
        kek_rotation.rotate(self.ledger.log, self.world.home)

    @rule()
    def back_up(self) -> None:
        self.ledger.close()
        self.backup = (self.stored(), self.world.home.checkpoint.read_bytes(), self.memory.copy())
        self.ledger = self.world.open()

    @precondition(lambda self: self.backup)
    @rule()
    def restore_an_older_backup(self) -> None:
        """Nothing is written to it or signed; with the newer database all is as before."""
        old, checkpoint, _ = self.backup
        if checkpoint == self.world.home.checkpoint.read_bytes():
            return
        self.ledger.close()
        newest = self.stored() if self.url is None else self.url
        self.put(old if self.url is None else self.copied(old))
        with self.world.open() as restored:
            size = restored.head().size
            for attempt in (restored.checkpoint, lambda: restored.enrol("dan")):
                with pytest.raises(RefusedToSignError) as caught:
                    attempt()
                assert caught.value.exit_code == 3
            assert restored.head().size == size
        self.put(newest)
        self.ledger = self.world.open()

    @rule(
        used=st.sets(people, min_size=1),
        keep=st.booleans(),
        lie=st.booleans(),
        fails=fates,
        processing=st.sampled_from(PROCESSING),
    )
    def run(self, used: set[str], *, keep: bool, lie: bool, fails: bool | None, processing: str) -> None:
        named = [person for person in sorted(used) if self.model[person].number is not None]
        if not named:
            return
        reasons = {p: self.model[p].reason(self.now(), self.memory.lost, processing) for p in named}
        codes = {p: UseStatus.SELECTED if lie or not reasons[p] else reasons[p] for p in named}
        values = [f'{{"of":"{p}"}}'.encode() if codes[p].used else b"" for p in named] if keep else None
        use = UseRequest(
            run=os.urandom(16), processing=processing, purpose_id=OFFER, service="x",
            numbers=[self.model[p].number for p in named], statuses=list(codes.values()),
            state=self.ledger.checkpoint(), values=values,
        )  # fmt: skip
        if lie and any(reasons.values()):
            size = self.ledger.head().size
            with pytest.raises(ConsentChanged) as caught:
                self.ledger.append_use(use)
            assert set(caught.value.numbers) == {self.model[p].number for p in named if reasons[p]}
            assert self.ledger.head().size == size
            return
        if fails is not None:
            self.failed(lambda: self.ledger.append_use(use), written=fails)
        first = self.ledger.append_use(use)
        assert first.replayed is bool(fails)
        assert self.ledger.append_use(use).index == first.index
        for person in named:
            self.model[person].runs.append((first.index, use.run, codes[person]))
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
            assert self.world.verify(receipt).consent.status == model.events[-1].status.value
            self.keep(person, receipt, model.events[-1])
        for _, run, status in model.runs[-1:]:
            receipt = self.ledger.use_receipt(person, run)
            assert self.world.verify(receipt).use.status == status
            self.keep(person, receipt, None)

    @rule()
    def publish(self) -> None:
        self.ledger.publish(self.public)
        self.published = self.ledger.head().size

    @precondition(lambda self: self.backup)
    @rule(publish=st.booleans())
    def lose_what_came_after_the_backup(self, *, publish: bool) -> None:
        """The older database is filled again, where enough was published; what entries said of people is lost."""
        old, checkpoint, memory = self.backup
        if checkpoint == self.world.home.checkpoint.read_bytes():
            return
        if publish:
            self.publish()
        size = self.ledger.head().size
        self.ledger.close()
        newest = self.stored() if self.url is None else self.url
        self.put(old if self.url is None else self.copied(old))
        self.ledger = self.world.open()
        first = self.ledger.head().size
        if self.published < size:
            with pytest.raises((RefillRefusedError, PublishedLogUnavailableError)):
                refill(self.ledger.log, self.world.home, FolderFiles(self.public))
            assert self.ledger.head().size == first
            self.ledger.close()
            self.put(newest)
            self.ledger = self.world.open()
            return
        done = refill(self.ledger.log, self.world.home, FolderFiles(self.public))
        assert (done.before, done.size) == (first, size)
        self.ledger.checkpoint()
        # Keys of people in the older database may be wrapped by a key that was replaced since: the check asks for this.
        kek_rotation.rotate(self.ledger.log, self.world.home)
        bodies = [body for _, part in bundles(FolderFiles(self.public), 0, size) for body in part]
        self.memory = memory.copy()
        for person, model in self.model.items():
            if model.number in self.erased:
                self.model[person] = Model()
        self.memory.lost |= {
            index for index in range(first, size) if isinstance(parse_entry(bodies[index]), PersonalEntry)
        }
        recorded = {event.index for model in self.model.values() for event in model.events}
        self.retries = [entry for entry in self.retries if entry[3] in recorded]

    @precondition(lambda self: self.receipts)
    @rule(data=st.data())
    def bring_a_receipt_back(self, data) -> None:
        kept = data.draw(st.sampled_from(self.receipts))
        model = self.model[kept.person]
        openings = {kept.enrolment} | ({kept.event.index} if kept.event else set())
        lost = openings & self.memory.lost
        known_as_another = model.number not in (None, kept.number)
        if kept.number in self.erased or (lost and known_as_another):
            with pytest.raises(BadRequestError):
                restore(self.ledger.log, self.world.home, kept.person, kept.text.encode())
            return
        assert set(restore(self.ledger.log, self.world.home, kept.person, kept.text.encode())) == lost
        self.memory.lost -= lost
        if lost:
            model.number = kept.number
        if kept.event and kept.event.index in lost:
            model.events = sorted([*model.events, kept.event])

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

    @rule(data=st.data(), processing=st.sampled_from(PROCESSING))
    def ask_as_of_an_index(self, data, processing: str) -> None:
        size = data.draw(st.integers(self.founded, self.ledger.head().size))
        bulk = permits(self.ledger, PEOPLE, OFFER, processing, as_of=size)
        for (person, model), code in zip(self.model.items(), bulk.status.tolist(), strict=True):
            assert code == model.reason(self.now(), self.memory.lost, processing, size)
            permit = self.ledger.permit(person, OFFER, processing, as_of=size)
            assert (0 if isinstance(permit, Permitted) else permit.status) == code
            record = next(r for r in self.ledger.consents(person, as_of=size) if r.purpose.id == OFFER)
            assert record.status is model.status(self.now(), size)
            views = self.ledger.uses(person, as_of=size)
            assert [v.run for v in views] == [run for index, run, _ in model.runs if index < size]
            asked = [(each.index, each.right) for each in self.ledger.rights_of(person)]
            assert asked == [(each.index, each.right) for each in model.rights]


def play(server, examples: int) -> None:
    run_state_machine_as_test(
        lambda: City(server),
        settings=settings(
            max_examples=int(os.environ.get("LEDGER_EXAMPLES", examples)),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_sequence_agrees_with_a_naive_model_on_sqlite() -> None:
    play(None, 6)


def test_any_sequence_agrees_with_a_naive_model_on_postgresql(postgresql) -> None:
    play(postgresql, 2)


@pytest.mark.slow
def test_many_sequences_agree_with_a_naive_model_on_sqlite() -> None:
    play(None, 40)


@pytest.mark.slow
def test_many_sequences_agree_with_a_naive_model_on_postgresql(postgresql) -> None:
    play(postgresql, 15)
