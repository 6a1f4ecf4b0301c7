"""Processes that write to a ledger, to be killed or to compete: what each began and what it was told, line by line.

They are forked from a server that has imported everything already, so a start costs milliseconds. A line is written
after a call has returned, so it stands for what a citizen was told; it survives the process in the file's page cache.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from consent.errors import ConsentError
from consent.home import open_home
from consent.ledger import Ledger
from consent.records import ConsentReceiptRef, ConsentRequest
from consent.tlog.checkpoint import Checkpoint, TreeHead
from consent.vocabulary import ConsentStatus, Right
from tests.consent.ledger_world import OFFER, Clock, use_request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.process import BaseProcess
    from multiprocessing.synchronize import Barrier

    from tests.consent.ledger_world import World

S = ConsentStatus
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [__name__, "consent.store_postgresql", "consent.tlog.verify", "sqlalchemy.dialects.postgresql.psycopg"]
)
GIVE_UP_SECONDS = 60
BULK = 20
WEIGHTS = {"consent": 10, "withdraw": 5, "bulk": 3, "use": 1, "right": 2, "erase": 1}
SHARED = ("consent", "withdraw")
"""What several threads of one process share commits for."""


@dataclass(frozen=True)
class Act:
    """One write, so that anybody can repeat it.

    Attributes:
        kind: A key of WEIGHTS.
        name: Whom it is about; also its request id, with the kind.
        state: Of a run, the checkpoint that it read the consents at: part of what is asked for.
    """

    kind: str
    name: str
    state: str | None = None

    @property
    def request(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def run(self) -> bytes:
        return hashlib.sha256(self.request.encode()).digest()[:16]

    def people(self) -> list[str]:
        return [f"{self.name}-{i}" for i in range(BULK)] if self.kind == "bulk" else [self.name]

    def prepared(self, ledger: Ledger) -> Act:
        return replace(self, state=ledger.checkpoint().note) if self.kind == "use" else self

    def do(self, ledger: Ledger) -> tuple[list[int], bool]:
        """Do it; the entries' indices, and whether it had been done before."""
        if self.kind == "consent":
            return _one(ledger.record_consent(self.name, OFFER, S.GIVEN, request_id=self.request))
        if self.kind == "withdraw":
            return _one(ledger.record_consent(self.name, OFFER, S.WITHDRAWN, request_id=self.request))
        if self.kind == "bulk":
            requests = [ConsentRequest(p, OFFER, S.GIVEN, request_id=f"bulk {p}") for p in self.people()]
            size = ledger.head().size
            indices = ledger.record_consents(requests)
            return indices, indices[-1] < size
        if self.kind == "right":
            size = ledger.head().size
            index = ledger.record_right(
                self.name, Right.OBJECTION, ground="eu-gdpr:A21", purposes=[OFFER], request_id=self.request
            )
            return [index], index < size
        if self.kind == "use":
            note = self.state or ""
            state = Checkpoint(TreeHead.parse(note.partition("\n\n")[0] + "\n"), note)
            done = ledger.append_use(use_request(ledger, {self.name: 1}, run=self.run, state=state))
            return [done.index], done.replayed
        size = ledger.head().size
        receipt = ledger.erase(self.name, ground="eu-gdpr:A17-1-b", request_id=self.request)
        return [receipt.index], receipt.index < size


def _one(got: Any) -> tuple[list[int], bool]:
    assert isinstance(got, ConsentReceiptRef)
    return [got.index], got.replayed


class Notes:
    """A file of JSON lines, each written whole by one call, from any thread."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, what: str, act: Act | None = None, **more: Any) -> None:
        line = {"what": what, **(asdict(act) if act else {}), **more}
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read_notes(path: Path) -> list[dict[str, Any]]:
    """What was written so far."""
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def acts_of(notes: list[dict[str, Any]], what: str) -> list[tuple[Act, list[int]]]:
    """The acts of one kind of line, with their indices."""
    return [(Act(n["kind"], n["name"], n["state"]), n.get("indices", [])) for n in notes if n["what"] == what]


def acts(name: str, seed: int, kinds: tuple[str, ...] = tuple(WEIGHTS)) -> Iterator[Act]:
    """Endlessly, what a writer does; nothing in it depends on what it was told."""
    chance = random.Random(seed)  # noqa: S311 - which acts are tried
    consenting: list[str] = []
    for number in range(1_000_000):
        [kind] = chance.choices(kinds, [WEIGHTS[kind] for kind in kinds])
        person = f"{name}-{number}"
        if kind in {"consent", "bulk"} or not consenting:
            act = Act(kind if kind == "bulk" else "consent", person)
            consenting += act.people()
        elif kind == "use":
            act = Act(kind, chance.choice(consenting))
            consenting.remove(act.name)
        else:
            act = Act(kind, consenting.pop(chance.randrange(len(consenting))))
        yield act


def do_noted(ledger: Ledger, notes: Notes, act: Act) -> None:
    """Do one act, with notes before and after; where the ledger cannot be reached, again with the same request id."""
    end = time.monotonic() + GIVE_UP_SECONDS
    while True:  # A server that was killed may also be away when the state of a run is asked for.
        try:
            act = act.prepared(ledger)
            break
        except ConsentError as error:
            if error.exit_code != 4 or time.monotonic() > end:
                raise
            time.sleep(0.02)
    notes.write("began", act)
    while True:
        try:
            indices, replayed = act.do(ledger)
        except ConsentError as error:
            notes.write("failed", act, exit_code=error.exit_code, message=error.message)
            if error.exit_code != 4 or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            notes.write("told", act, indices=indices, replayed=replayed)
            return


def write_until_killed(home: str, notes_path: str, seed: int, threads: int) -> None:
    """What a writing process does: all kinds of acts, or, from several threads, what they can share commits for."""
    notes = Notes(Path(notes_path))
    ledger = Ledger.open(open_home(Path(home)), clock=Clock())
    if threads == 1:
        for act in acts(f"s{seed}", seed):
            do_noted(ledger, notes, act)

    def thread(number: int) -> None:
        for act in acts(f"s{seed}t{number}", seed + number, SHARED):
            do_noted(ledger, notes, act)

    running = [threading.Thread(target=thread, args=(i,), daemon=True) for i in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()


def write_some(home: str, notes_path: str, start: Barrier, wanted: list[list[Act]]) -> None:
    """What one of many competing processes does: every list of acts in a thread of its own, all started together."""
    notes = Notes(Path(notes_path))
    with Ledger.open(open_home(Path(home)), clock=Clock()) as ledger:
        start.wait(120)

        def thread(mine: list[Act]) -> None:
            for act in mine:
                do_noted(ledger, notes, act)

        running = [threading.Thread(target=thread, args=(mine,)) for mine in wanted]
        for each in running:
            each.start()
        for each in running:
            each.join()


def start_writer(world: World, notes: Path, seed: int, threads: int) -> BaseProcess:
    """A process that writes until it is killed."""
    process = PROCESSES.Process(
        target=write_until_killed, args=(str(world.home.path), str(notes), seed, threads), daemon=True
    )
    process.start()
    return process


def stored_entries(world: World, url: str | None) -> list[tuple[int, bytes]]:
    """(index, bytes) of every entry, by the bare driver: nothing of ours between the disk and the test."""
    query = "SELECT idx, body FROM entry ORDER BY idx"
    if url is None:
        with closing(sqlite3.connect(world.home.database)) as connection:
            return list(connection.execute(query))
    with psycopg.connect(url) as connection:
        return [(index, bytes(body)) for index, body in connection.execute(query)]
