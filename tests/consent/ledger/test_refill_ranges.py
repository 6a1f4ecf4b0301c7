"""What a restored database lacks is fetched into a file and written range by range: memory does not grow with it."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from consent import refill_entries
from consent.errors import LedgerUnavailableError
from consent.published_log import FolderFiles
from consent.refill import refill
from tests.consent.restored import Backup

if TYPE_CHECKING:
    from pathlib import Path

    from tests.consent.ledger_world import World

PEOPLE = 6_000
MOST_BYTES = 2 * 1024 * 1024
"""One range of 512 takes some 1 MB; all 6,000 in memory took more than 10."""


@pytest.fixture
def lost(world: World, tmp_path: Path) -> FolderFiles:
    """A log with many entries of which the database has none."""
    backup = Backup(world)
    with world.open() as ledger:
        ledger.enrol_many(f"invented-{each}" for each in range(PEOPLE))
        ledger.publish(tmp_path / "public")
    backup.restore()
    return FolderFiles(tmp_path / "public")


def test_what_is_missing_is_not_held_in_memory(
    world: World, lost: FolderFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refill_entries, "RANGE", 512)
    with world.open() as ledger:
        signed = ledger.log.last_checkpoint()
        refill(ledger.log, world.home, lost, dry_run=True)
        tracemalloc.start()
        try:
            done = refill(ledger.log, world.home, lost)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert done.openings == PEOPLE
        assert peak < MOST_BYTES
        head = ledger.head()
        assert signed is not None
        assert (head.size, head.root) == (signed.size, signed.root)


def test_a_full_disk_while_fetching_leaves_the_database_as_it_was(
    world: World, lost: FolderFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, content: object) -> int:
            raise OSError(28, f"No space left on device{'' if content else ' for nothing'}")

    with world.open() as ledger:
        before = ledger.head()
        with monkeypatch.context() as patched:
            patched.setattr(refill_entries.tempfile, "TemporaryFile", lambda **_: Full())
            with pytest.raises(LedgerUnavailableError, match="cannot be kept in") as caught:
                refill(ledger.log, world.home, lost)
        assert caught.value.exit_code == 4
        assert (ledger.head().size, ledger.head().root) == (before.size, before.root)
        assert refill(ledger.log, world.home, lost).openings == PEOPLE
        assert ledger.check() == []
