"""A new home whose log's key is in a signer process: from the home that is ready, over the first signature, to its name.

A signer signs one history, so its first signature cannot be taken back. That is why it is the last thing but one:

  1. the signer is asked for its key and its last head; one that has signed anything is refused, and nothing is made;
  2. the home is made beside, whole but for its checkpoint; after a failure so far everything goes, and the signer is new;
  3. the home gets the name `NAME.founding`, and is on disk: from here on the founding is kept, whatever happens;
  4. the signer signs the head of its entries, and keeps that;
  5. the checkpoint is written into the home;
  6. the home gets its own name.
The same call again goes on at 4: the same head is asked for, which gets the same signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.errors import (
    ConsentUnavailableError,
    FoundingUnfinishedError,
    HomeExistsError,
    RefusedToSignError,
)
from consent.home import Home, read_settings
from consent.home_place import keep_name, put_in_place, sync_all
from consent.ledger import Ledger
from consent.signing import signer_process
from consent.tlog.durable import sync
from consent.trust import TrustRoot

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from consent.new_home import NewHome
    from consent.tlog.note import VerifierKey

_GIVE_UP = "see docs/ledger/signer.md, `A founding that did not come to its end`"


def founding_place(path: Path) -> Path:
    """Where the home for `path` lies between steps 3 and 6."""
    return path.with_name(f"{path.name}.founding")


def unused_key(address: str, origin: str) -> VerifierKey:
    """Step 1: the key of a signer that has signed nothing yet.

    Args:
        address: `unix:/path`.
        origin: The log's name.

    Raises:
        ConfigurationError: The address is none (exit 2).
        SignerUnavailableError: Nobody answers there (4).
        RefusedToSignError: It is for a log of another name, or has signed a head (3).
    """
    process = signer_process(address, origin)
    try:
        key, last = process.last()
    except RefusedToSignError as error:
        raise RefusedToSignError(
            error.message,
            f"name it --origin {origin} when the signer is made (`luvalla ledger signer --init`)",
        ) from error
    if last.size:
        raise RefusedToSignError(
            f"the signer at {process.path} has signed a log of {last.size} entries already",
            "a new log begins with a signer that has signed nothing: make one in another folder with `luvalla ledger "
            f"signer --init`; if a founding of yours was lost after that signature, {_GIVE_UP}",
        )
    return key


def check_same(founding: Home, wanted: NewHome) -> None:
    """Refuse to go on with a founding that was begun with other arguments.

    Raises:
        HomeExistsError: It was, or it is no founding (exit 2).
        ConsentUnavailableError: Its files cannot be read (4).
        ConsentError: They are not what was written.
    """
    if not founding.config.is_file():
        raise HomeExistsError(
            f"there is something at {founding.path} already, which is no founding", "move it away"
        )
    if wanted.signer is None:
        raise _other(founding, "--signer")
    try:
        differing = _differing(founding, wanted)
    except (OSError, UnicodeDecodeError) as error:
        raise ConsentUnavailableError(
            f"the founding at {founding.path} cannot be read", f"mend that, or give it up: {_GIVE_UP}"
        ) from error
    if differing:
        raise _other(founding, differing[0])


def _differing(founding: Home, wanted: NewHome) -> list[str]:
    settings = read_settings(founding)
    trust = TrustRoot.load(founding.trust_root, settings.trust_root)
    succeeds = None if wanted.succeeds is None else wanted.succeeds.reference()
    differing = [
        option
        for option, begun, asked in (
            ("--signer", settings.signer, wanted.signer),
            ("--origin", settings.origin, wanted.origin),
            ("--database", settings.database, wanted.database),
            ("--purposes", founding.purposes.read_text(encoding="utf-8"), wanted.purposes),
            ("--succeeds or --checkpoint", trust.succeeds, succeeds),
        )
        if begun != asked
    ]
    other = wanted.furnishing.difference(founding)
    return differing if other is None else [*differing, other]


def finish(founding: Home, path: Path, wanted: NewHome, clock: Callable[[], datetime]) -> None:
    """Steps 4 to 6, also where some of them were done before.

    Args:
        founding: After step 3.
        path: Where the home is to be.
        wanted: What was asked for.
        clock: What time it is.

    Raises:
        FoundingUnfinishedError: The signer, the disk or the database failed; the same call goes on (exit 4).
        RefusedToSignError: The signer has signed something else, or has another key (3).
        HomeExistsError: The founding gives another reason for its succession (2).
        LedgerUnavailableError: The home is there, and its name may not survive a power cut (4).
    """
    try:
        # Before anything is signed, also where this failed the last time.
        sync(path.parent)
        with Ledger.open(founding, clock=clock) as ledger:
            if wanted.succeeds is not None and wanted.succeeds.body() not in [
                entry.body for entry in ledger.institutional("succession")
            ]:
                raise _other(founding, "--reason")
            _sign(ledger, founding)
        sync_all(founding.path)
    except (OSError, ConsentUnavailableError) as error:
        raise _unfinished(founding, path, error) from error
    try:
        put_in_place(founding.path, path, wanted.furnishing.keep)
    except OSError as error:
        raise _unfinished(founding, path, error) from error
    keep_name(path)


def _sign(ledger: Ledger, founding: Home) -> None:
    settings = read_settings(founding)
    process = signer_process(str(settings.signer), ledger.origin)
    key, last = process.last()
    head = ledger.head()
    if key not in ledger.log.trust.log_vkeys(head.size):
        raise RefusedToSignError(
            f"the signer at {process.path} has another key than the founding at {founding.path}",
            f"start the signer that it was begun with at that socket, and call the same again; or give it up: {_GIVE_UP}",
        )
    if last.size and (last.size, last.root) != (head.size, head.root):
        raise RefusedToSignError(
            f"the signer at {process.path} has signed {last.size} entries that are not those of the founding at {founding.path}",
            f"it began another log, and this founding has no signer any more: give it up, {_GIVE_UP}",
        )
    ledger.log.checkpoint(first=True)


def _other(founding: Home, option: str) -> HomeExistsError:
    return HomeExistsError(
        f"the founding at {founding.path} was begun with another {option}",
        f"call `luvalla init` as it was begun, and it goes on; or give it up: {_GIVE_UP}",
    )


def _unfinished(
    founding: Home, path: Path, error: OSError | ConsentUnavailableError
) -> FoundingUnfinishedError:
    why = error.message if isinstance(error, ConsentUnavailableError) else error.strerror
    return FoundingUnfinishedError(
        f"the home {path} is not finished: {why}",
        f"mend that, and call `luvalla init` with the same options again: what was begun is kept at {founding.path}",
    )
