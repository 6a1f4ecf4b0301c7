"""`luvalla ledger ...`: check the log, sign its head, and show the keys that a verifier needs."""

from __future__ import annotations

import base64

import click

from consent import answers
from consent.at_home import current_home, open_ledger
from consent.home import read_settings
from consent.options import json_option, respond
from consent.trust import TrustRoot

EVIDENCE = 3  # exit code: evidence does not verify


@click.command()
@json_option
@click.pass_context
def check(ctx: click.Context, *, as_json: bool) -> None:
    """Recompute everything from the stored bytes, and name each fault.

    Exit code 3 when there is any.
    """
    with open_ledger(read_only=True) as ledger:
        faults = ledger.check()
        head = ledger.head()
    found = [answers.fault(fault) for fault in faults]
    told = [
        f"{each['table']} {each['key']}: {each['what']}"
        + (f" (entry {each['index']})" if each["index"] is not None else "")
        for each in found
    ]
    verdict = f"{head.size} entries recomputed, {len(found)} {'fault' if len(found) == 1 else 'faults'}"
    respond({"size": head.size, "sound": not found, "faults": found}, [*told, verdict], as_json=as_json)
    if found:
        ctx.exit(EVIDENCE)


@click.command()
@json_option
def checkpoint(*, as_json: bool) -> None:
    """Sign the log's head, keep it outside the database, and print it: give it to whoever should hold you to it."""
    with open_ledger() as ledger:
        signed, origin = ledger.checkpoint(), ledger.origin
    respond(
        {
            "origin": origin,
            "size": signed.size,
            "root": base64.b64encode(signed.root).decode(),
            "note": signed.note,
        },
        [signed.note.removesuffix("\n")],
        as_json=as_json,
    )


@click.command()
@json_option
def vkey(*, as_json: bool) -> None:
    """Print the log's verifier keys and the trust root's pin: what one needs to check receipts by any program."""
    home = current_home()
    pin = read_settings(home).trust_root
    root = TrustRoot.load(home.trust_root, pin)
    keys = [{"vkey": key.key.vkey, "from": key.first, "until": key.until} for key in root.log_keys]
    respond(
        {"origin": root.origin, "log": keys, "trust_root": pin, "trust_root_file": str(home.trust_root)},
        [*(str(key["vkey"]) for key in keys), f"trust root: {pin}", f"its file: {home.trust_root}"],
        as_json=as_json,
    )
