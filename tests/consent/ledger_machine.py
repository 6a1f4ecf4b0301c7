"""A city, its backups and the naive model that is held against it; the rules are in `ledger/test_machine.py`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from consent import store_erasure, store_people
from consent.bulk import permits
from consent.errors import LedgerUnavailableError
from consent.records import Permitted
from consent.state import FOLLOWS
from consent.tlog.proof import Proof
from consent.vocabulary import ERASABLE, ConsentStatus, RetentionClass, UseStatus
from tests.consent import postgresql_server
from tests.consent.ledger_model import ASKING, Event, Kept, Memory, Model
from tests.consent.ledger_world import OFFER, make_world

S = ConsentStatus
PEOPLE = ["ann", "ben", "cia"]


class CityState(RuleBasedStateMachine):
    """What the rules work on; `server` is where its database is made, None for an SQLite file."""

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
        self.memory = Memory({person: Model() for person in PEOPLE})
        # What no restore takes away: the journal of erasures, numbers that were given, and what people have at home.
        self.erased: dict[int, set[RetentionClass]] = {}
        """The number of everybody erased, with the classes that a decision kept."""
        self.no_return: set[str] = set()
        self.used_numbers: set[int] = set()
        self.retries: list = []
        self.receipts: list[Kept] = []
        self.founded = self.ledger.head().size
        self.public = Path(self.folder.name) / "public"
        self.published = 0

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            # Days pass: that a key of keys is due to be destroyed is said rightly.
            assert [fault for fault in self.ledger.check() if fault.table != "keks"] == []
            for receipt in self.receipts:
                self.world.verify(json.loads(receipt.text))
            self.ledger.close()
            self.folder.cleanup()

    def now(self):
        return self.world.clock.now

    @property
    def model(self) -> dict[str, Model]:
        return self.memory.people

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "ledger"):
            return
        head = self.ledger.head()
        assert (head.checkpoint.size, head.checkpoint.root) == (head.size, head.root)
        assert self.ledger.lost_openings() == len(self.memory.lost)
        reasons = {person: model.reason(self.now(), self.memory.lost) for person, model in self.model.items()}
        bulk = permits(self.ledger, [*PEOPLE, "nobody"], OFFER, "scoring")
        assert bulk.status.tolist() == [*reasons.values(), UseStatus.NO_CONSENT]
        for person, model in self.model.items():
            assert self.ledger.number_of(person) == model.number
            permit = self.ledger.permit(person, OFFER, "scoring")
            assert (0 if isinstance(permit, Permitted) else permit.status) == reasons[person]
            record = next(r for r in self.ledger.consents(person) if r.purpose.id == OFFER)
            assert record.status is model.status(self.now())
            assert [event.index for event in record.history] == [event.index for event in model.events]
            assert [event.status for event in record.history] == [event.status for event in model.events]
            assert [(v.index, v.run, v.status) for v in self.ledger.uses(person)] == model.runs
            for run, (value, _) in model.values.items():
                assert self.ledger.values(person, run) == value

    @invariant()
    def holds_of_who_was_erased_what_was_decided(self) -> None:
        """Also after a crash in the middle, after a restore, and where the erasure's own entry was lost."""
        if not hasattr(self, "ledger"):
            return
        with self.ledger.log.store.read() as connection:
            for number, keep in self.erased.items():
                if not store_people.is_taken(connection, number):
                    continue  # Enrolled after the backup that is there now.
                for each in ERASABLE:
                    kept = store_people.wrapped_keys(connection, each.code, [number])
                    assert bool(kept) == (each in keep), (number, each)
                payloads = dict(
                    store_erasure.count_payloads(connection, [number], RetentionClass.EVIDENCE.code)
                )
                assert bool(payloads) == (RetentionClass.EVIDENCE in keep)

    def enrolled(self, person: str) -> None:
        if self.model[person].number is None:
            number = self.ledger.number_of(person)
            assert number not in self.used_numbers, "a number was given twice"
            self.used_numbers.add(number)
            self.model[person].number = number

    def possible(self, person: str, status: S) -> bool:
        model = self.model[person]
        forbidden = person in self.no_return and (status in ASKING or model.number is None)
        return status in FOLLOWS[model.status(self.now())] and not forbidden

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

    def keep(self, person: str, receipt: dict, event: Event | None) -> None:
        enrolment = Proof.parse(receipt["enrolment"]["proof"]).index
        self.receipts.append(Kept(person, self.model[person].number, enrolment, event, json.dumps(receipt)))

    def forget(self, person: str, keep: set[RetentionClass]) -> None:
        self.erased[self.model[person].number] = keep
        self.model[person] = Model()
        self.retries = [entry for entry in self.retries if entry[0] != person]
