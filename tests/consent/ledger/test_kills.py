"""kill -9 at random moments of a live writer: every reopening finds a whole log, and nothing that was said is lost."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from consent.errors import LedgerUnavailableError
from tests.consent.ledger_world import OFFER, make_world
from tests.consent.ledger_writers import Act, acts_of, read_notes, start_writer, stored_entries
from tests.consent.second_verifier import mth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consent.ledger import Ledger
    from tests.consent import postgresql_server
    from tests.consent.ledger_world import World

LONGEST_SECONDS = 0.15
"""A writer is killed within this time after it was told something first; it writes some 100 times a second."""
ROUNDS_PER_CITY = 5
BLOW = 4
"""Every so many rounds on PostgreSQL the server is struck first, its backend or all of it in turn, then the writer."""
RETRIED = 5
"""How many of the acts that were told as done are asked for again, each round."""


def until(what: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)
    return found


def told(notes: Path) -> int:
    return notes.read_bytes().count(b'"told"') if notes.exists() else 0


def kill_the_backend(url: str) -> None:
    """Kill -9 of the process that serves the writer: the server ends all others and recovers."""
    with psycopg.connect(url, autocommit=True) as administrator:
        pids = administrator.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'luvalla ledger'"
        ).fetchall()
    for (pid,) in pids:
        with contextlib.suppress(ProcessLookupError):  # the first one's death ends the others
            os.kill(pid, signal.SIGKILL)


class Round:
    """One killing, and what must hold afterwards."""

    def __init__(self, world: World, url: str | None, folder: Path, seed: int) -> None:
        self.world, self.url = world, url
        self.notes = folder / f"notes-{seed}"
        self.seed = seed
        self.chance = random.Random(seed)  # noqa: S311 - when the blow falls

    def kill(self, threads: int, blow: Callable[[], None] | None) -> None:
        writer = start_writer(self.world, self.notes, self.seed, threads)
        try:
            until(lambda: told(self.notes) or not writer.is_alive())
            time.sleep(self.chance.uniform(0, LONGEST_SECONDS))
            if blow is not None:
                blow()
                before = told(self.notes)
                # It goes on by itself, with the same request, as soon as the server answers again.
                until(lambda: told(self.notes) > before or not writer.is_alive())
                time.sleep(self.chance.uniform(0, LONGEST_SECONDS))
            assert writer.is_alive(), read_notes(self.notes)[-1:]
        finally:
            writer.kill()
            writer.join()

    def _opened(self) -> Ledger | None:
        """The ledger; None while the server recovers."""
        try:
            return self.world.open()
        except LedgerUnavailableError:
            if self.url is None:
                raise
            return None

    def check(self, earlier: list[tuple[int, bytes]]) -> None:
        """Everything that the module's first line says; `earlier` are (size, root) of checkpoints seen before."""
        notes = read_notes(self.notes)
        assert {note["exit_code"] for note in notes if note["what"] == "failed"} <= {4}
        with until(self._opened) as ledger:
            with ledger.log.store.write():
                pass  # On PostgreSQL the dead writer's transaction may still be ending: wait for its lock.
            entries = stored_entries(self.world, self.url)
            assert [index for index, _ in entries] == list(range(len(entries)))
            bodies = [body for _, body in entries]
            head = ledger.head()
            assert (head.size, head.root) == (len(bodies), mth(bodies))
            assert head.checkpoint.root == mth(bodies[: head.checkpoint.size])
            for size, root in earlier:
                assert mth(bodies[:size]) == root
            done = acts_of(notes, "told")
            assert all(index < head.checkpoint.size for _, indices in done for index in indices)
            begun = [act for act, _ in acts_of(notes, "began")]
            self._nothing_lost(ledger, done, begun)
            for act in [a for a in begun if a not in {b for b, _ in done}]:
                first, _ = act.do(ledger)
                assert act.do(ledger) == (first, True)
                done.append((act, first))
            self._nothing_lost(ledger, done, begun)
            assert ledger.check() == []
            earlier.append((ledger.head().checkpoint.size, ledger.head().checkpoint.root))

    def _nothing_lost(self, ledger: Ledger, done: list[tuple[Act, list[int]]], begun: list[Act]) -> None:
        erased = {act.name for act, _ in done if act.kind == "erase"}
        gone = {act.name for act in begun if act.kind == "erase"}
        for act, indices in done:
            for person, index in zip(act.people(), indices, strict=True):
                if person in erased:
                    assert ledger.number_of(person) is None
                elif person in gone:
                    continue  # Perhaps erased: nobody was told.
                elif act.kind == "use":
                    assert act.run in {use.run for use in ledger.uses(person)}
                elif act.kind != "right":
                    [record] = [r for r in ledger.consents(person) if r.purpose.id == OFFER]
                    assert index in [event.index for event in record.history]
        again = [(act, indices) for act, indices in done if not gone & {*act.people()}]
        for act, indices in self.chance.sample(again, min(RETRIED, len(again))):
            size = ledger.head().size
            assert act.do(ledger) == (indices, True)
            assert ledger.head().size == size


def kill_often(rounds: int, folder: Path, server: postgresql_server.Server | None) -> None:
    start = random.SystemRandom().randrange(2**32)
    chance = random.Random(start)  # noqa: S311 - which kind of blow
    print(f"seed {start}")  # noqa: T201 - shown where it fails
    for number in range(rounds):
        if number % ROUNDS_PER_CITY == 0:
            (folder / f"city{number}").mkdir()
            if server is not None:
                server.restart_if_stopped()
            url = server.new_database() if server is not None else None
            world, earlier = make_world(folder / f"city{number}", database=url), []
        blow = None
        if server is not None and url is not None and number % BLOW == 1:
            # In turn: the backend alone, or the whole server, which is then started again.
            def blow(url: str = url, number: int = number) -> None:
                if number % (2 * BLOW) == 1:
                    kill_the_backend(url)
                else:
                    server.kill()
                    server.start()

        one = Round(world, url, folder, start + number)
        one.kill(threads=chance.choice([1, 1, 4]), blow=blow)
        one.check(earlier)


def test_kill_9_of_a_writer_to_sqlite(tmp_path: Path) -> None:
    kill_often(3, tmp_path, None)


def test_kill_9_of_a_writer_to_postgresql_and_of_the_server(
    tmp_path: Path, durable: postgresql_server.Server
) -> None:
    kill_often(5, tmp_path, durable)


# A hundred times on each, in parts that share the machine's patience.
@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_kill_9_twenty_five_times_on_sqlite(tmp_path: Path, part: int) -> None:
    kill_often(25, tmp_path, None)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_kill_9_twenty_five_times_on_postgresql(
    tmp_path: Path, durable: postgresql_server.Server, part: int
) -> None:
    kill_often(25, tmp_path, durable)
