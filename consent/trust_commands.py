"""`luvalla ledger rotate-key` and `luvalla ledger witnesses`: new versions of the trust root, signed by its root keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from consent import rotation, signer_rotation
from consent.at_home import current_home, open_ledger
from consent.errors import ConsentInputError, KeyFileError
from consent.home import read_settings
from consent.options import dry_run_option, json_option, respond
from consent.tlog.cosignature import WitnessKey
from consent.tlog.note import generate_key, load_key
from consent.trust import TrustRoot
from consent.trust_chain import WitnessRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consent.home import Home
    from consent.ledger import Ledger
    from consent.tlog.note import SigningKey

root_key_option = click.option(
    "--root-key",
    "root_keys",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A private root key's file; repeat until the threshold is reached. By default the home's keys/root.pem.",
)


def policy_text(root: TrustRoot) -> str:
    """The rule in force as a C2SP tlog-policy, for the newest checkpoints.

    A tlog-policy knows no sizes: the log's key is the one that signs now, and the threshold is that of new checkpoints.
    """
    rule = root.witnesses
    newest = max(root.log_keys, key=lambda item: item.first)
    lines = [f"log {newest.key.vkey}"]
    names = [f"witness-{number}" for number in range(1, len(rule.keys) + 1)]
    lines += [f"witness {name} {key.vkey}" for name, key in zip(names, rule.keys, strict=True)]
    if rule.threshold:
        lines += [f"group witnesses {rule.threshold} {' '.join(names)}", "quorum witnesses"]
    else:
        lines.append("quorum none")
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--policy", is_flag=True, help="Print the rule as C2SP tlog-policy text, for other programs.")
@click.option(
    "--key", "keys", multiple=True, metavar="VKEY", help="A witness that counts from now on; repeat."
)
@click.option("--threshold", type=click.IntRange(0), help="How many of them a checkpoint needs.")
@root_key_option
@dry_run_option
@json_option
def witnesses(
    *,
    policy: bool,
    keys: tuple[str, ...],
    threshold: int | None,
    root_keys: tuple[Path, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Show the witnesses that count; with --key and --threshold, replace them in a new version of the trust root.

    The new rule holds for checkpoints larger than the present one, so that receipts handed out before still verify.

    Example: `luvalla ledger witnesses --key VKEY --threshold 1 --dry-run`. Exit code 3: the root keys given are too few to
    sign.
    """
    home = current_home()
    root = _trust(home)
    if keys or threshold is not None:
        if threshold is None:
            raise click.UsageError("--key needs --threshold: how many of the witnesses a checkpoint needs.")
        named = tuple(WitnessKey.parse(key) for key in keys)
        with open_ledger(read_only=dry_run) as ledger:
            new = root.with_witnesses(
                WitnessRule(named, threshold, ledger.head().size + 1), _signers(root, home, root_keys)
            )
            if not dry_run:
                _adopt(ledger, home, new)
        root = new
    rule = root.witnesses
    answer = {
        "keys": [key.vkey for key in rule.keys],
        "threshold": rule.threshold,
        "from": rule.first,
        "version": root.version,
        "policy": policy_text(root),
        "dry_run": dry_run,
    }
    told = [
        *(key.vkey for key in rule.keys),
        f"{rule.threshold} of {len(rule.keys)} needed from {rule.first} entries on "
        f"(version {root.version} of the trust root)" + (": not written" if dry_run else ""),
    ]
    respond(answer, policy_text(root).splitlines() if policy else told, as_json=as_json)


@click.command(name="rotate-key")
@click.option(
    "--signer",
    metavar="unix:PATH",
    help="Take the key of the signer process at this socket, and let it sign from now on.",
)
@root_key_option
@dry_run_option
@json_option
def rotate_key(*, signer: str | None, root_keys: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Replace the log's key: a new version of the trust root, in which the old one ends at the present size.

    Every checkpoint signed so far still verifies; one that the old key signs from now on is refused. Stop what else
    writes first: it would go on with the old key. Called again after a crash, it goes on where it stopped.

    Example: `luvalla ledger rotate-key --dry-run`. Exit code 3: the root keys given are too few to sign.
    """
    home = current_home()
    root = _trust(home)
    if signer is not None:
        _rotate_to_signer(home, root, signer, root_keys, dry_run=dry_run, as_json=as_json)
        return
    signer_rotation.refuse_home_key(home)
    newest = max(root.log_keys, key=lambda item: item.first)
    beside = rotation.decided(home.log_key, [newest.key]) is not None
    with open_ledger(read_only=dry_run) as ledger:
        going_on = beside or not rotation.is_recorded(ledger, root)
        if not going_on:
            rotation.check_free(home.log_key)
            # What is committed is signed by the old key, and the old key ends after it.
            size = ledger.head().size if dry_run else ledger.checkpoint().size
            key = generate_key(root.origin)
            new = root.rotate_log_key(key.verifier, size + 1, _signers(root, home, root_keys))
            vkey, first = key.verifier.vkey, size + 1
            if not dry_run:
                rotation.prepare(home.log_key, key)
                new.save(home.trust_root)
        else:
            new, vkey, first = root, newest.key.vkey, newest.first
        if not dry_run:
            if beside or not going_on:
                rotation.put_in_place(home.log_key)
            rotation.record(ledger, new)
    _rotated(home, new, vkey, first, "log", dry_run=dry_run, going_on=going_on, as_json=as_json)


@click.command(name="rotate-root-key")
@root_key_option
@dry_run_option
@json_option
def rotate_root_key(*, root_keys: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Replace the home's own root key: a new version of the trust root, signed by the old root keys and the new one.

    Keys of other holders stay. A thief of fewer keys than the threshold can sign nothing any more; where the threshold
    is 1, the thief can do the same as you: see docs/ledger/drills.md. Called again after a crash, it goes on.

    Example: `luvalla ledger rotate-root-key --root-key a.pem --root-key b.pem`. Exit code 3: the root keys given are too few
    to sign.
    """
    home = current_home()
    root = _trust(home)
    version = root.versions[-1]
    found = rotation.decided(home.root_key, version.root_keys)
    with open_ledger(read_only=dry_run) as ledger:
        going_on = found is not None or not rotation.is_recorded(ledger, root)
        if not going_on:
            rotation.check_free(home.root_key)
            signers = _signers(root, home, root_keys)
            own = load_key(home.root_key, root.origin).verifier.public
            key = generate_key(f"{root.origin}/root-{root.version + 1}")
            keys = [each for each in version.root_keys if each.public != own] + [key.verifier]
            new = root.with_root_keys(keys, version.threshold, [*signers, key])
            vkey = key.verifier.vkey
            if not dry_run:
                rotation.prepare(home.root_key, key)
                new.save(home.trust_root)
        else:
            new, vkey = root, (found or load_key(home.root_key, root.origin).verifier).vkey
        if not dry_run:
            if found is not None or not going_on:
                rotation.put_in_place(home.root_key)
            rotation.record(ledger, new)
    _rotated(home, new, vkey, None, "root", dry_run=dry_run, going_on=going_on, as_json=as_json)


def _rotated(
    home: Home,
    new: TrustRoot,
    vkey: str,
    first: int | None,
    which: str,
    *,
    dry_run: bool,
    going_on: bool,
    as_json: bool,
) -> None:
    answer = {
        "vkey": None if dry_run and not going_on else vkey,
        "from": first,
        "version": new.version,
        "completed": going_on,
        "dry_run": dry_run,
    }
    begun = "a rotation that had stopped halfway is complete: " if going_on else ""
    what = (
        "a new root key signs the next version, and the old one nothing any more"
        if first is None
        else f"the old key signs up to {first - 1} entries, a new one from {first} on"
    )
    told = [f"{begun}version {new.version} of the trust root: {what}" + (": not written" if dry_run else "")]
    if not dry_run:
        told += [vkey, f"publish {home.trust_root}, and destroy copies of the old {which} key"]
    respond(answer, told, as_json=as_json)


def _rotate_to_signer(
    home: Home, root: TrustRoot, address: str, root_keys: Sequence[Path], *, dry_run: bool, as_json: bool
) -> None:
    """The same with the key of a signer process; after a crash in the middle the same call finishes what is left."""
    with open_ledger(read_only=dry_run) as ledger:
        last = ledger.log.last_checkpoint()
        size = ledger.head().size
        if not dry_run and (last is None or last.size < size):
            size = ledger.checkpoint().size
        process, key = signer_rotation.signer_to_adopt(ledger, address, size)
        newest = max(root.log_keys, key=lambda item: item.first)
        if key == newest.key:
            new, first = root, newest.first
        elif any(key == item.key for item in root.log_keys):
            raise ConsentInputError(
                f"the signer at {address} has a key that was the log's before, and no longer is",
                "make a new signer with `luvalla ledger signer --init`: an old key never comes back",
            )
        else:
            new, first = root.rotate_log_key(key, size + 1, _signers(root, home, root_keys)), size + 1
        settings = signer_rotation.settings_naming(home, address)
        if not dry_run:
            # The settings first: with them alone nothing is signed or written, and the same call goes on.
            signer_rotation.save_settings(home, settings)
            ledger.log.signer = process
            if not signer_rotation.is_recorded(ledger, new.version):
                _adopt(ledger, home, new)
    answer = {"vkey": key.vkey, "from": first, "version": new.version, "dry_run": dry_run}
    told = [
        f"version {new.version} of the trust root: the signer at {address} signs from {first} entries on"
        + (": not written" if dry_run else ""),
        key.vkey,
        *([] if dry_run else [f"publish {home.trust_root}, and destroy every copy of the old key"]),
    ]
    respond(answer, told, as_json=as_json)


def _trust(home: Home) -> TrustRoot:
    return TrustRoot.load(home.trust_root, read_settings(home).trust_root)


def _signers(root: TrustRoot, home: Home, files: Sequence[Path]) -> list[SigningKey]:
    """Load private root keys; a PEM file holds no name, so each is looked up by its public key."""
    named = {key.public: key.name for key in root.versions[-1].root_keys}
    signers = []
    for path in files or [home.root_key]:
        loaded = load_key(path, root.origin)
        if loaded.verifier.public not in named:
            raise KeyFileError(
                f"the key in {path} is no root key of the trust root", "name the files of the root keys"
            )
        signers.append(load_key(path, named[loaded.verifier.public]))
    return signers


def _adopt(ledger: Ledger, home: Home, new: TrustRoot) -> None:
    """Make the version the one in force, then record it in the log, which its own keys sign."""
    new.save(home.trust_root)
    rotation.record(ledger, new)
