"""`luvalla ledger monitor URL`: follow a published log from outside, with the trust root alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consent.at_home import current_home
from consent.errors import ConsentInputError, HomeMissing, LogContradictionError
from consent.home import read_settings
from consent.monitor_trust import Snapshot, newest_trust_root, witnesses_of
from consent.options import json_option, respond, trust_root_option
from consent.published_log import FolderFiles, web_files
from consent.tlog.checkpoint import Checkpoint, open_checkpoint
from consent.tlog.contradiction import Contradiction, RolledBack
from consent.tlog.monitor import MOST_NEW, follow
from consent.tlog.monitor_state import MonitorState
from consent.tlog.proof import HEADER, Proof
from consent.trust import TrustRoot

if TYPE_CHECKING:
    from collections.abc import Sequence

EVIDENCE = 3  # exit code: evidence does not verify
MAX_SEEN_BYTES = 4 * 1024 * 1024
"""A receipt's limit (docs/spec/ledger-v1.md, section 12)."""


def _trust(given: Path | None, pin: str | None) -> TrustRoot:
    if given is not None:
        return TrustRoot.load(given, pin)
    try:
        home = current_home()
    except HomeMissing as error:
        raise ConsentInputError(
            "no trust root to check against: there is no luvalla home here",
            "Give --trust-root FILE: the city publishes it beside the log; and --pin, its printed digest.",
        ) from error
    return TrustRoot.load(home.trust_root, pin or read_settings(home).trust_root)


def _seen(path: Path, trust: TrustRoot) -> Checkpoint:
    """The checkpoint in a receipt, in a tlog-proof, or by itself."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SEEN_BYTES + 1)
        text = raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConsentInputError(f"{path} cannot be read as text", "Name a receipt's file.") from error
    if len(raw) > MAX_SEEN_BYTES:
        raise ConsentInputError(f"{path} is larger than {MAX_SEEN_BYTES} bytes", "Name a receipt's file.")
    if text.startswith("{"):
        try:
            text = json.loads(text)["enrolment"]["proof"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ConsentInputError(
                f"{path} is not a receipt: it holds no proof", "Name a receipt's file."
            ) from error
    if not isinstance(text, str):
        raise ConsentInputError(f"{path} is not a receipt: its proof is no text", "Name a receipt's file.")
    note = Proof.parse(text).checkpoint if text.startswith(HEADER) else text
    return open_checkpoint(note.encode(), trust.origin, trust.log_vkeys)


def _evidence(found: Contradiction | RolledBack) -> tuple[str, str, str]:
    """File name, message and hint."""
    if isinstance(found, Contradiction):
        return (
            f"contradiction-{found.older.size}-{found.newer.size}.json",
            f"the log signed two histories: its heads of {found.older.size} and {found.newer.size} entries contradict",
            "publish this file: anybody can check it with the log's key (docs/ledger/monitoring.md)",
        )
    return (
        f"rollback-{found.kept.size}-{found.served.size}.json",
        f"the log shows {found.served.size} entries, and had shown {found.kept.size}",
        "ask the operator: a restored older copy, or a stale cache; the two heads by themselves do not contradict",
    )


@click.command()
@click.argument("log", metavar="URL")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder in which the monitor remembers the log: keep it, and never share it with the log's operator.",
)
@trust_root_option
@click.option("--pin", help="The digest of the trust root's first version, sha256:..., got another way.")
@click.option(
    "--receipt",
    "receipts",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="A receipt, proof or checkpoint seen elsewhere, which the log must agree with; may be repeated. Only its "
    "checkpoint is kept.",
)
@click.option(
    "--most-new",
    type=click.IntRange(min=1),
    default=MOST_NEW,
    show_default=True,
    help="Most entries to follow in one call; each takes 32 bytes of the state folder.",
)
@json_option
@click.pass_context
def monitor(
    ctx: click.Context,
    *,
    log: str,
    state: Path,
    trust_root: Path | None,
    pin: str | None,
    receipts: Sequence[Path],
    most_new: int,
    as_json: bool,
) -> None:
    """Follow the log published at URL (or in a folder): recompute it, and hold it to every head seen before.

    A newer trust root that is published beside the log is followed too, when it continues the one given. Exit code 3: the
    log contradicts itself, shows less than before, lacks cosignatures that the trust root asks for, or its files are
    wrong. Evidence is left in the state folder.

    Example: `luvalla ledger monitor https://log.city.example --state seen --trust-root trust-root.json --pin sha256:...`.
    Exit code 4: the log cannot be reached, or another monitor uses the folder.
    """
    given = _trust(trust_root, pin)
    files = FolderFiles(Path(log)) if Path(log).is_dir() else web_files(log)
    with MonitorState(state, given.origin, given.log_vkeys).locked():
        served = Snapshot.of(files)
        trust = newest_trust_root(served, MonitorState(state, given.origin, given.log_vkeys), given)
        memory = MonitorState(state, trust.origin, trust.log_vkeys)
        seen = [_seen(path, trust) for path in receipts]
        found = follow(served, memory, trust.origin, trust.log_vkeys, seen, most_new=most_new)
        if isinstance(found, Contradiction | RolledBack):
            name, message, hint = _evidence(found)
            path = memory.write(name, found.text())
    if isinstance(found, Contradiction | RolledBack):
        if not as_json:
            raise LogContradictionError(message, f"{path}: {hint}")
        respond({"sound": False, "message": message, "evidence": str(path)}, (), as_json=True)
        ctx.exit(EVIDENCE)
    head = found.head
    witnesses = witnesses_of(head, trust)
    respond(
        {
            "sound": True,
            "origin": head.origin,
            "before": found.before,
            "size": head.size,
            "root": head.root.hex(),
            "compared": found.compared,
            "waiting": found.waiting,
            "witnessed_by": list(witnesses),
            "trust_root_version": trust.version,
        },
        [
            f"{head.origin}: {head.size} entries recomputed"
            + ("" if found.before is None else f", they continue the {found.before} known before"),
            f"cosigned by {', '.join(witnesses)}"
            if witnesses
            else "cosigned by no witness of the trust root",
            *([f"heads seen elsewhere that agree: {found.compared}"] if found.compared else []),
            *(
                [f"heads seen elsewhere that the log does not cover yet: {found.waiting}"]
                if found.waiting
                else []
            ),
            *(
                [f"the trust root published is of version {trust.version}, the one given of {given.version}"]
                if trust.version > given.version
                else []
            ),
        ],
        as_json=as_json,
    )
