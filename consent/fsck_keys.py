"""Check of the key-encryption keys: what they wrap, and whether the days that receipts give were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import store_raw
from consent.errors import ConsentError
from consent.key_ring import late

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consent.fsck_findings import Findings
    from consent.home import Home
    from consent.log import Log

WRAPPED_BY_OLD = "it is wrapped by a key-encryption key that was replaced: run `luvalla ledger rotate-kek`, which completes that"

SEALED_BY_OLD = "its pseudonym is encrypted under a key-encryption key that was replaced: run `luvalla ledger rotate-kek`, which completes that"


def check(log: Log, connection: Connection, home: Home, findings: Findings) -> None:
    """Report run secrets wrapped by an old key, and keys that receipts say are destroyed by now."""
    ring = log.keks.ring
    for row in store_raw.rows(connection, "use_run"):
        try:
            current = log.vault.open_secret_telling(row["run"] or b"", row["secret"] or b"")[1]
        except ConsentError:
            continue  # the check of the run itself reports it
        if not (current or ring.unfinished):
            findings.add("use_run", store_raw.key_of("use_run", row), WRAPPED_BY_OLD)
    try:
        overdue = late(home, ring, log.now())
    except ConsentError:
        return  # the check of the journal reports it
    for kek, day in overdue:
        findings.add(
            "keks",
            kek.id,
            f"receipts of erasures say that this key is destroyed by {day.isoformat()}: run `luvalla ledger rotate-kek`, "
            "then `luvalla ledger rotate-kek --destroy-expired`",
        )
