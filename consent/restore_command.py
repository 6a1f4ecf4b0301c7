"""`luvalla ledger restore-opening RECEIPT`: what a restore lost comes back from somebody's own receipt."""

from __future__ import annotations

from pathlib import Path

import click

from consent.at_home import current_home, open_ledger
from consent.errors import ConsentInputError
from consent.options import json_option, person_option, respond
from consent.restoring import restore
from consent.tlog.verify import MAX_RECEIPT_BYTES


@click.command(name="restore-opening")
@click.argument("receipt", type=click.Path(path_type=Path, dir_okay=False))
@person_option
@json_option
def restore_opening(*, receipt: Path, person: str, as_json: bool) -> None:
    """Bring back what a restore lost of one person, from the RECEIPT that they hold.

    The receipt is verified, and must open the very entries that stand in the log. Who brings it is identified as ever.
    Consents count again when the last lost opening is back, or when their people confirm them.

    Example: `luvalla ledger restore-opening receipt.json --person -`. Exit code 3: the receipt does not verify; 2: it is of
    another person, or of somebody erased.
    """
    try:
        with receipt.open("rb") as file:
            raw = file.read(MAX_RECEIPT_BYTES + 1)
    except OSError as error:
        raise ConsentInputError(
            f"{receipt} cannot be read: {error.strerror}", "Name a readable file."
        ) from error
    with open_ledger() as ledger:
        back = restore(ledger.log, current_home(), person, raw)
        left = ledger.lost_openings()
    told = (
        f"{len(back)} lost {'opening' if len(back) == 1 else 'openings'} came back, of entries "
        f"{', '.join(map(str, back))}"
        if back
        else "nothing that this receipt holds was lost"
    )
    respond({"entries": back, "still_lost": left}, [told, f"still lost: {left}"], as_json=as_json)
