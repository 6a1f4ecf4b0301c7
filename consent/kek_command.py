"""`luvalla ledger rotate-kek`: replace the key-encryption key, and destroy old ones on their day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from consent import kek_rotation, key_ring
from consent.answers import time_text
from consent.at_home import current_home, open_ledger
from consent.options import dry_run_option, json_option, respond

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from consent.answers import Answer
    from consent.home import Home
    from consent.key_ring import Kek
    from consent.ledger import Ledger


@click.command(name="rotate-kek")
@click.option(
    "--if-due", is_flag=True, help="Only when its day has come: for a timer that calls this every night."
)
@click.option(
    "--destroy-expired",
    is_flag=True,
    help="Destroy the replaced keys whose day has come, after whatever else is done; backups from before their "
    "replacement cannot be read from then on. With --if-due, both in one nightly call.",
)
@dry_run_option
@json_option
def rotate_kek(*, if_due: bool, destroy_expired: bool, dry_run: bool, as_json: bool) -> None:
    """Replace the key that wraps every person's keys; killed at any moment, the same call completes it.

    The old key stays for the backups until the day that receipts of erasures give. With --destroy-expired alone no key is
    replaced; with --dry-run the keys and their days are listed.

    Example, for every night: `luvalla ledger rotate-kek --if-due --destroy-expired`. Exit code 2: the folder `keys` does not
    fit the list of keys; 4: some keys are still wrapped by the old one, call it again.
    """
    home = current_home()
    with open_ledger(read_only=dry_run) as ledger:
        now = ledger.log.now()
        ring = ledger.log.keks.ring
        by = ring.current.rotate_by
        due = by is None or by <= now.date() or bool(ring.unfinished)
        wanted = due if if_due else not destroy_expired
        done = None
        destroyed: tuple[Kek, ...] = ()
        freed = None
        if not dry_run:
            if wanted:
                done = kek_rotation.rotate(ledger.log, home)
                freed = ledger.reclaim()
            if destroy_expired:
                destroyed = kek_rotation.destroy_expired(ledger.log, home)
        answer: Answer = {
            "dry_run": dry_run,
            "would_rotate": wanted,
            "new": None if done is None or done.new is None else done.new.id,
            "rewrapped": 0 if done is None else done.rewrapped,
            "bytes_freed": freed,
            "destroyed": [kek.file for kek in destroyed],
            "keys": _keys(ledger, home),
        }
    respond(answer, _lines(answer), as_json=as_json)


def _keys(ledger: Ledger, home: Home) -> list[Answer]:
    ring = key_ring.load(home)
    late = {kek.id: day for kek, day in key_ring.late(home, ring, ledger.log.now())}
    return [
        {
            "id": kek.id,
            "file": kek.file,
            "state": _state(kek),
            "made": None if kek.made is None else time_text(kek.made),
            "rotate_by": _day(kek.rotate_by),
            "destroy_by": _day(kek.destroy_by),
            "overdue_since": _day(late.get(kek.id)),
        }
        for kek in ring.keks
    ]


def _state(kek: Kek) -> str:
    if kek.destroyed is not None:
        return "destroyed"
    if kek.retired is None:
        return "wraps"
    return "kept for backups" if kek.rewrapped is not None else "being replaced"


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _lines(answer: Answer) -> Iterator[str]:
    for each in answer["keys"]:
        if each["state"] == "wraps":
            days = f"to be replaced by {each['rotate_by'] or 'now: its age is not known'}"
        elif each["state"] == "destroyed":
            days = "backups from its time cannot be read"
        else:
            days = f"to be destroyed on {each['destroy_by']}"
        yield f"{each['file']}  {each['state']}, {days}"
        if each["overdue_since"]:
            yield f"  receipts of erasures say that it is destroyed by {each['overdue_since']}"
    if answer["dry_run"]:
        yield "the key would be replaced" if answer["would_rotate"] else "no key would be replaced"
        return
    if answer["new"]:
        yield f"a new key wraps from now on; {answer['rewrapped']} keys and pseudonyms encrypted anew"
        yield "back up the folder `keys`, apart from the database: without it nothing can be read"
    elif answer["rewrapped"]:
        yield f"the rotation begun before is complete; {answer['rewrapped']} keys and pseudonyms encrypted anew"
    if answer["bytes_freed"] is False:
        yield "what the old key wrapped is still in the database's files: another reader was in the way; call this again"
    for file in answer["destroyed"]:
        yield f"{file} is destroyed here: destroy every copy of it too, and the backups from its time"
