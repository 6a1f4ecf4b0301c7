"""Replacing a private key of the house, so that a crash at any step leaves something that a second call completes.

  1. the new key is written beside the old one, as `NAME.pem.new`, and synced: it counts for nothing yet;
  2. the trust root's new version is written: from here on the new key counts, and the rotation is decided;
  3. the old key becomes `NAME.pem.old`;
  4. the new one takes its place;
  5. the version is recorded in the log, and the log's head is signed.
After a crash before 2 the new key is thrown away and the next call begins anew; after 2 the next call goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.errors import ConsentInputError, KeyFileError
from consent.tlog.durable import sync
from consent.tlog.note import load_key, save_key

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from consent.ledger import Ledger
    from consent.tlog.note import SigningKey, VerifierKey
    from consent.trust import TrustRoot


def new_place(path: Path) -> Path:
    """Where the next key lies until it takes its place."""
    return path.with_name(f"{path.name}.new")


def old_place(path: Path) -> Path:
    """Where the key before lies until it is destroyed."""
    return path.with_name(f"{path.name}.old")


def decided(path: Path, counting: Collection[VerifierKey]) -> VerifierKey | None:
    """The key of a rotation that the trust root already has, and that did not come to its end; None when there is none.

    Args:
        path: The private key's file.
        counting: The keys that the trust root's newest version names in its place.
    """
    beside = new_place(path)
    if not beside.exists():
        return None
    try:
        publics = {key.public: key for key in counting}
        return publics.get(load_key(beside, "any").verifier.public)
    except KeyFileError:
        return None  # Cut off by a crash while it was written: no trust root can name it.


def check_free(path: Path) -> None:
    """Refuse to begin a rotation while the key before the present one is still there.

    Raises:
        ConsentInputError: It is.
    """
    old = old_place(path)
    if old.exists():
        raise ConsentInputError(
            f"there is a key from the last rotation at {old}", "destroy it or move it away, then try again"
        )


def prepare(path: Path, key: SigningKey) -> None:
    """Step 1; a key that was prepared before and never decided on is thrown away."""
    new_place(path).unlink(missing_ok=True)
    save_key(key, new_place(path))


def put_in_place(path: Path) -> None:
    """Steps 3 and 4, also where one of them was done before.

    Raises:
        ConsentInputError: All three files are there: none may be lost.
    """
    if path.exists():
        check_free(path)
        path.rename(old_place(path))
    new_place(path).rename(path)
    sync(path.parent)


def record(ledger: Ledger, trust: TrustRoot) -> None:
    """Step 5; a version that is recorded already is not recorded again."""
    ledger.log.adopt(trust)
    ledger.append_institutional(
        "trust-root",
        {"digest": trust.digest, "version": trust.version},
        request_id=f"trust-root-{trust.version}",
    )


def is_recorded(ledger: Ledger, trust: TrustRoot) -> bool:
    """Whether the newest version of the trust root is in the log."""
    return any(each.body["digest"] == trust.digest for each in ledger.institutional("trust-root"))
