"""What leaves the house about the log itself: its public files, and proofs of single entries."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from consent import store_log
from consent.errors import BadRequestError, PublicationConflictError, TrustRootError
from consent.tlog.merkle import inclusion_proof
from consent.tlog.proof import Proof
from consent.tlog.publish import Published, Statement, publish
from consent.tlog.tiles import TRUST_ROOT
from consent.trust import TrustRoot

if TYPE_CHECKING:
    from pathlib import Path

    from consent.home import Home
    from consent.log import Log


def publish_log(log: Log, home: Home, folder: Path, *, dry_run: bool, new_only: bool = False) -> Published:
    """See `Ledger.publish`."""
    if (folder / home.config.name).exists():
        # A home holds a `checkpoint` of its own: the one that keeps the ledger from forgetting.
        raise BadRequestError(f"{folder} is a luvalla home", "publish into a folder of its own")
    covering = log.covering(-1)
    statement = Statement(
        covering, log.trust.raw, log.trust.log_vkeys, partial(_continues, log.trust, folder)
    )
    with log.store.read() as connection:
        source = store_log.SqlHashes(connection)
        return publish(folder, source, statement, dry_run=dry_run, new_only=new_only)


def _continues(trust: TrustRoot, folder: Path, published: bytes) -> None:
    """Refuse to replace a published trust root by one that does not continue it."""
    path = folder / TRUST_ROOT
    try:
        there = TrustRoot.parse(published, trust.pin)
    except TrustRootError as error:
        raise PublicationConflictError(
            f"{path} is not an earlier version of this ledger's trust root: {error.message}",
            "the file was changed or is another log's: keep it, and publish into an empty folder",
        ) from error
    if trust.continues(there):
        return
    if there.continues(trust):
        raise PublicationConflictError(
            f"{path} has {there.version} versions, the trust root of this ledger {trust.version}",
            "the home's trust-root.json is an older copy: put the newer one back",
        )
    raise PublicationConflictError(
        f"{path} and the trust root of this ledger are two different continuations of one version",
        "root keys signed both: keep the two files, and find out who signed; docs/ledger/drills.md",
    )


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
