"""Any sequence of what people, runs, operators and failing disks do, against a naive model of it, on both databases."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from consent import kek_rotation, rotation
from consent.errors import ConsentChanged, LedgerUnavailableError, RefusedToSignError
from consent.records import ConsentReceiptRef, ConsentRequest, Permitted
from consent.state import FOLLOWS
from consent.tlog.note import generate_key
from consent.trust import TrustRoot
from consent.trust_commands import _signers
from consent.uses import UseRequest
from consent.vocabulary import ConsentStatus, Right, UseStatus
from tests.consent import postgresql_server
from tests.consent.ledger_world import OFFER, ORIGIN, make_world, open_trust

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
    objects: bool = False

    def permitted(self, now) -> bool:
        return self.status(now).permits and not self.objects

    def reason(self, now) -> UseStatus:
        status = self.status(now)
        return UseStatus.OBJECTED if status.permits else REASONS[status]

    def status(self, now) -> S:
        if not self.events:
            return S.UNKNOWN
        status, at = self.events[-1]
        return S.EXPIRED if status.permits and at + timedelta(days=365) <= now else status


class City(RuleBasedStateMachine):
    """The machine; `server` is where its database is made, None for an SQLite file."""

    def __init__(self, server) -> None:
        super().__init__()
        self.server = server

    @initialize()
    def found(self) -> None:
        self.folder = TemporaryDirectory()
        self.url = self.server.new_database() if self.server else None
        self.world = make_world(Path(self.folder.name), database=self.url)
        self.backup = None
        self.ledger = self.world.open()
        self.model = {person: Model() for person in PEOPLE}
        self.used_numbers: set[int] = set()
        self.retries: list = []
        self.receipts: list = []
        self.runs: list = []

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            # Days pass: that a key of keys is due to be destroyed is said rightly.
            assert [fault for fault in self.ledger.check() if fault.table != "keks"] == []
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

    @contextmanager
    def failing_commit(self, *, written: bool):
        """The next commit fails: before it was done, or after it was, so that only the answer is lost."""
        dialect = self.ledger.log.store._writer.dialect
        original = dialect.do_commit

        def commit(connection) -> None:
            dialect.do_commit = original
            if written:
                original(connection)
            error = psycopg.OperationalError if self.url else sqlite3.OperationalError
            raise error("the connection, or the disk, is gone")

        dialect.do_commit = commit
        try:
            yield
        finally:
            del dialect.do_commit

    def failed(self, act, *, written: bool, grows: bool = True) -> None:
        """Do something whose commit fails, and see what is there: nothing of it, or all of it."""
        size = self.ledger.head().size
        with self.failing_commit(written=written), pytest.raises(LedgerUnavailableError) as caught:
            act()
        assert caught.value.exit_code == 4
        assert (self.ledger.head().size > size) == (written and grows)

    @rule(person=people, status=statuses, written=st.booleans(), crash=st.booleans())
    def answer_at_a_failing_commit(self, person: str, status: S, *, written: bool, crash: bool) -> None:
        model = self.model[person]
        if status not in FOLLOWS[model.status(self.now())]:
            return
        request = os.urandom(8).hex()

        def act():
            return self.ledger.record_consent(person, OFFER, status, request_id=request)

        self.failed(act, written=written)
        if crash:
            self.reopen()
        got = act()
        assert got.replayed is written
        model.events.append((status, self.now()))
        self.enrolled(person)
        self.retries.append((person, status, request, got.index))

    @rule(person=people, written=st.booleans(), crash=st.booleans())
    def erase_at_a_failing_commit(self, person: str, *, written: bool, crash: bool) -> None:
        if self.model[person].number is None:
            return
        request = os.urandom(8).hex()
        self.failed(
            lambda: self.ledger.erase(person, ground="eu-gdpr:A17-1-b", request_id=request), written=written
        )
        # The journal outside the database knows of it: whoever opens the ledger next finishes it.
        if crash:
            self.reopen()
        else:
            self.ledger.replay_erasures()
        self.ledger.checkpoint()
        self.forget(person)

    @rule(person=people, withdrawn=st.booleans())
    def object(self, person: str, *, withdrawn: bool) -> None:
        model = self.model[person]
        if withdrawn and not model.objects:
            return
        right = Right.OBJECTION_WITHDRAWN if withdrawn else Right.OBJECTION
        request = os.urandom(8).hex()
        indices = {
            self.ledger.record_right(
                person, right, ground="eu-gdpr:A21", purposes=[OFFER], request_id=request
            )
            for _ in range(2)
        }
        assert len(indices) == 1
        self.enrolled(person)
        model.objects = not withdrawn

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
        self.backup = (self.stored(), self.world.home.checkpoint.read_bytes())
        self.ledger = self.world.open()

    def stored(self) -> Any:
        """A copy of the database as it is."""
        if self.url is None:
            with closing(sqlite3.connect(self.world.home.database)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return self.world.home.database.read_bytes()
        return self.copied(self.url)

    def copied(self, url: str) -> str:
        return postgresql_server.copy_database(self.server, url)

    def put(self, stored: Any) -> None:
        """Put a copy in the database's place."""
        home = self.world.home
        if self.url is None:
            for name in ("ledger.db-wal", "ledger.db-shm"):
                (home.path / name).unlink(missing_ok=True)
            home.database.write_bytes(stored)
            return
        text = home.config.read_text(encoding="utf-8")
        home.config.write_text(text.replace(f'"{self.url}"', f'"{stored}"'), encoding="utf-8")
        self.url = stored

    @precondition(lambda self: self.backup)
    @rule()
    def restore_an_older_backup(self) -> None:
        """Nothing is written to it or signed; with the newer database all is as before."""
        old, checkpoint = self.backup
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
        fails=st.sampled_from([None, False, True]),
    )
    def run(self, used: set[str], *, keep: bool, lie: bool, fails: bool | None) -> None:
        named = [person for person in sorted(used) if self.model[person].number is not None]
        if not named:
            return
        permitted = {person: self.model[person].permitted(self.now()) for person in named}
        codes = {
            p: UseStatus.SELECTED if permitted[p] or lie else self.model[p].reason(self.now()) for p in named
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
        if fails is not None:
            self.failed(lambda: self.ledger.append_use(use), written=fails)
        first = self.ledger.append_use(use)
        assert first.replayed is bool(fails)
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
        self.forget(person)

    def forget(self, person: str) -> None:
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
            permit = self.ledger.permit(person, OFFER, "scoring")
            assert isinstance(permit, Permitted) == model.permitted(self.now())
            record = next(r for r in self.ledger.consents(person) if r.purpose.id == OFFER)
            assert record.status is model.status(self.now())
            assert [event.status for event in record.history] == [status for status, _ in model.events]
            assert [(view.run, view.status) for view in self.ledger.uses(person)] == model.runs
            for run, (value, _) in model.values.items():
                assert self.ledger.values(person, run) == value


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
