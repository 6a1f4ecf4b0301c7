"""What leaves the house about the log itself: its public files, and proofs of single entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import store_log
from consent.errors import BadRequestError
from consent.tlog.merkle import inclusion_proof
from consent.tlog.proof import Proof
from consent.tlog.publish import Published, publish

if TYPE_CHECKING:
    from pathlib import Path

    from consent.home import Home
    from consent.log import Log


def publish_log(log: Log, home: Home, folder: Path, *, dry_run: bool) -> Published:
    """See `Ledger.publish`."""
    if (folder / home.config.name).exists():
        # A home holds a `checkpoint` of its own: the one that keeps the ledger from forgetting.
        raise BadRequestError(f"{folder} is a luvalla home", "publish into a folder of its own")
    covering = log.covering(-1)
    trust_root = home.trust_root.read_bytes()
    with log.store.read() as connection:
        source = store_log.SqlHashes(connection)
        return publish(folder, source, covering, trust_root, log.trust.log_vkeys, dry_run=dry_run)


def prove_entry(log: Log, index: int) -> str:
    """See `Ledger.prove`."""
    with log.store.read() as connection:
        size = store_log.log_end(connection).size
    if not 0 <= index < size:
        raise BadRequestError(
            f"the log has no entry {index}", f"its entries are numbered from 0 to {size - 1}"
        )
    covering = log.covering(index)
    with log.store.read() as connection:
        path = inclusion_proof(store_log.SqlHashes(connection), index, covering.size)
    return Proof(index, tuple(path), covering.note).text()
