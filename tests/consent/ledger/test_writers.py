"""Sixteen writers at once, in several processes: no loss, no fork, no gap, and everybody's own answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consent.home import read_settings
from tests.consent.ledger_world import OFFER
from tests.consent.ledger_writers import PROCESSES, Act, acts_of, read_notes, stored_entries, write_some
from tests.consent.second_verifier import mth

if TYPE_CHECKING:
    from pathlib import Path

    from tests.consent.ledger_world import World

EVERYBODY = Act("consent", "everybody")
"""Asked for by every writer, with one request id."""


def mine(writer: int) -> list[Act]:
    """What one writer asks for, in order."""
    name = f"w{writer}"
    plain = [Act("consent", f"{name}-{i}") for i in range(3)]
    return [
        *plain, EVERYBODY, Act("bulk", f"{name}-bulk"), Act("withdraw", f"{name}-0"), Act("use", f"{name}-1"), EVERYBODY,
        Act("right", f"{name}-2"), Act("consent", f"{name}-last"),
    ]  # fmt: skip


@pytest.mark.parametrize(("processes", "threads"), [(16, 1), pytest.param(4, 4, marks=pytest.mark.slow)])
def test_sixteen_writers_of_several_processes(
    world: World, tmp_path: Path, processes: int, threads: int
) -> None:
    start = PROCESSES.Barrier(processes)
    paths = [tmp_path / f"notes-{i}" for i in range(processes)]
    running = [
        PROCESSES.Process(
            target=write_some,
            args=(str(world.home.path), str(path), start, [mine(i * threads + t) for t in range(threads)]),
            daemon=True,
        )
        for i, path in enumerate(paths)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join(200)
    notes = [note for path in paths for note in read_notes(path)]
    assert [process.exitcode for process in running] == [0] * processes, notes[-1:]
    assert [note for note in notes if note["what"] == "failed"] == []
    told = acts_of(notes, "told")
    assert len(told) == 16 * len(mine(0))
    # One answer to one request, whoever asks and how often.
    assert len({tuple(indices) for act, indices in told if act == EVERYBODY}) == 1
    given = {index for _, indices in told for index in indices}
    assert len(given) == sum(len(act.people()) for act in {act for act, _ in told})
    with world.open() as ledger:
        entries = stored_entries(world, read_settings(world.home).database)
        assert [index for index, _ in entries] == list(range(len(entries)))
        head = ledger.head()
        assert (head.size, head.root) == (len(entries), mth([body for _, body in entries]))
        assert (head.checkpoint.size, head.checkpoint.root) == (head.size, head.root)
        for act, indices in told:
            for person, index in zip(act.people(), indices, strict=True):
                if act.kind == "use":
                    assert [use.run for use in ledger.uses(person)] == [act.run]
                elif act.kind != "right":
                    [record] = [r for r in ledger.consents(person) if r.purpose.id == OFFER]
                    assert [event.index for event in record.history].count(index) == 1
        for act, indices in told[::16]:
            assert act.do(ledger) == (indices, True)
        assert ledger.head().size == len(entries)
        assert ledger.check() == []
