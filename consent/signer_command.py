"""`luvalla ledger signer`: the process that holds the log's key, apart from the ledger; it needs no home and no ledger."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from consent.errors import ConsentInputError, ConsentUnavailableError
from consent.home_place import make_folder
from consent.options import json_option, respond
from consent.serving import stop_at_sigterm
from consent.signer_server import OWNER_AND_GROUP, OWNER_ONLY, SignerServer
from consent.tlog.checkpoint import open_checkpoint
from consent.tlog.external import MAX_CHECKPOINT_BYTES, FileCheckpointStore
from consent.tlog.note import SigningKey, VerifierKey, generate_key, load_key, save_key
from consent.tlog.signer import MAX_REQUEST_BYTES, MAX_STATEMENT_BYTES, Signer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consent.tlog.checkpoint import TreeHead
    from consent.tlog.note import Signs

KEY_FILE = "signer.pem"
PUBLIC_FILE = "signer.vkey"
MEMORY_FILE = "last"
LOCK_FILE = "signer.lock"


@click.command()
@click.option(
    "--state",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The signer's folder (mode 700): its key, and the last checkpoint it signed. Never restore it from a copy.",
)
@click.option("--init", is_flag=True, help="Make key and memory, print the public key, and end.")
@click.option("--origin", help="With --init: the log's name, such as city.example/consent.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --init: a private key's file to take over (a copy); else a new key is made.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --init: the home's file `checkpoint`, which the first signature must continue.",
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    metavar="VKEY",
    help="With --checkpoint: the log's keys so far (`luvalla ledger vkey` prints them); repeat.",
)
@click.option(
    "--socket",
    "socket_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help='The Unix socket to listen on; `signer = "unix:..."` in luvalla.toml names it.',
)
@click.option("--group", help="A group that may connect, besides the owner (mode 660 instead of 600).")
@click.option(
    "--pkcs11-module",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Sign with a key in a token, through this PKCS#11 library; also with --init.",
)
@click.option("--pkcs11-token", metavar="LABEL", help="The token's label.")
@click.option("--pkcs11-key", metavar="LABEL", help="The label of its Ed25519 key pair.")
@click.option(
    "--pkcs11-pin-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File (mode 600) with the user's PIN on one line.",
)
@click.option(
    "--statements",
    is_flag=True,
    help="Sign in-toto statements too: `luvalla promote` needs it; by default only checkpoints are signed.",
)
@json_option
def signer(
    *,
    state: Path,
    init: bool,
    origin: str | None,
    key_file: Path | None,
    checkpoint: Path | None,
    logs: tuple[str, ...],
    socket_path: Path | None,
    group: str | None,
    pkcs11_module: Path | None,
    pkcs11_token: str | None,
    pkcs11_key: str | None,
    pkcs11_pin_file: Path | None,
    statements: bool,
    as_json: bool,
) -> None:
    """Sign a log's checkpoints for its house, each only if it continues the last one; the key never leaves.

    Make a signer once with --init, then serve with --socket until it is stopped; docs/ledger/signer.md tells it step by step.
    Exit code 3: what the signer remembers is gone, or is not signed by its key.

    Example: `luvalla ledger signer --state signer --init --origin city.example/consent`, then `luvalla ledger signer --state
    signer --socket /run/signer/socket`.
    """
    token = _token(pkcs11_module, pkcs11_token, pkcs11_key, pkcs11_pin_file)
    if init:
        if socket_path is not None:
            raise click.UsageError(
                "--socket does not belong to --init: call it again without --init to serve."
            )
        key = _init(state, origin, key_file, token, checkpoint, logs)
        vkey = key.verifier.vkey
        respond({"vkey": vkey, "state": str(state)}, [vkey], as_json=as_json)
        return
    if origin is not None or key_file is not None or checkpoint is not None or logs:
        raise click.UsageError("--origin, --key, --checkpoint and --log belong to --init.")
    if socket_path is None:
        raise click.UsageError("Name the --socket to listen on, or make a signer with --init.")
    with _alone(state):
        key = _load(state, token)
        process = Signer(key, FileCheckpointStore(state / MEMORY_FILE), statements)
        last = process.last()
        server = SignerServer(
            socket_path,
            process.answer,
            max_bytes=2 * MAX_STATEMENT_BYTES if statements else MAX_REQUEST_BYTES,
            mode=OWNER_ONLY if group is None else OWNER_AND_GROUP,
            group=None if group is None else _group_id(group),
        )
        with contextlib.suppress(KeyboardInterrupt), server:
            stop_at_sigterm()
            click.echo(
                f"The signer {key.verifier.vkey} is at {socket_path}, last signed {last.size} entries; "
                "stop it with Ctrl-C.",
                err=True,
            )
            server.serve_forever()


class _Token(NamedTuple):
    """Where a key in a token lies."""

    module: Path
    token: str
    label: str
    pin: str

    def key(self, name: str) -> Signs:
        from consent.tlog.pkcs11_key import TokenKey  # noqa: PLC0415 - only a signer with a token loads it

        return TokenKey(name, self.module, self.token, self.label, self.pin)


def _token(module: Path | None, token: str | None, label: str | None, pin_file: Path | None) -> _Token | None:
    if module is None and token is None and label is None and pin_file is None:
        return None
    if module is None or token is None or label is None or pin_file is None:
        raise click.UsageError(
            "--pkcs11-module, --pkcs11-token, --pkcs11-key and --pkcs11-pin-file belong together."
        )
    try:
        mode = stat.S_IMODE(pin_file.stat().st_mode)
        pin = pin_file.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConsentInputError(
            f"the PIN's file {pin_file} cannot be read", "Check the path and its mode."
        ) from error
    if mode & 0o077:
        raise ConsentInputError(
            f"the PIN's file {pin_file} can be read by others (mode {mode:03o})", f"run: chmod 600 {pin_file}"
        )
    return _Token(module, token, label, pin)


def _init(
    state: Path,
    origin: str | None,
    key_file: Path | None,
    token: _Token | None,
    checkpoint: Path | None,
    logs: Sequence[str],
) -> Signs:
    if origin is None:
        raise click.UsageError("--init needs --origin, such as city.example/consent.")
    if key_file is not None and token is not None:
        raise click.UsageError("--key is a file, and --pkcs11-... a token: name one of them.")
    if bool(logs) != (checkpoint is not None):
        raise click.UsageError("--checkpoint and --log belong together: whose signature on it counts.")
    key: Signs
    if token is not None:
        key = token.key(origin)
    else:
        key = generate_key(origin) if key_file is None else load_key(key_file, origin)
    public = key.verifier
    head = None if checkpoint is None else _head(checkpoint, origin, logs)
    try:
        make_folder(state, 0o700)
    except OSError as error:
        raise ConsentUnavailableError(
            f"the folder {state} cannot be made: {error.strerror}", "Check the path and its permissions."
        ) from error
    _write_public(state / PUBLIC_FILE, public)
    if isinstance(key, SigningKey):
        save_key(key, state / KEY_FILE)
    Signer.prepare(key, FileCheckpointStore(state / MEMORY_FILE), head)
    return key


def _head(checkpoint: Path, origin: str, logs: Sequence[str]) -> TreeHead:
    keys = [VerifierKey.parse(text) for text in logs]
    try:
        with checkpoint.open("rb") as file:
            raw = file.read(MAX_CHECKPOINT_BYTES + 1)
    except OSError as error:
        raise ConsentUnavailableError(
            f"the checkpoint {checkpoint} cannot be read: {error.strerror}",
            "Name the home's file `checkpoint`.",
        ) from error
    return open_checkpoint(raw, origin, lambda _: keys).head


def _write_public(path: Path, key: VerifierKey) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(key.vkey + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConsentUnavailableError(
            f"the file {path} cannot be made: {error.strerror}",
            "A signer is never written over: name a new folder.",
        ) from error


def _load(state: Path, token: _Token | None) -> Signs:
    try:
        public = VerifierKey.parse((state / PUBLIC_FILE).read_text(encoding="utf-8").removesuffix("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConsentUnavailableError(
            f"the signer's file {state / PUBLIC_FILE} cannot be read", "Make a signer first, with --init."
        ) from error
    key = load_key(state / KEY_FILE, public.name) if token is None else token.key(public.name)
    if key.verifier != public:
        where = state / KEY_FILE if token is None else f"the token {token.token}"
        raise ConsentInputError(
            f"the key in {where} is not {public.vkey}", "Put the right key file or token back."
        )
    return key


@contextlib.contextmanager
def _alone(state: Path) -> Iterator[None]:
    """One process a folder: two would each believe their own last checkpoint for a moment."""
    try:
        handle = os.open(state / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConsentUnavailableError(
            f"the signer's folder {state} cannot be used: {error.strerror}",
            "Make a signer first, with --init.",
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise ConsentUnavailableError(
            f"another signer runs in {state}", "Stop it first; a folder has one signer."
        ) from error
    try:
        yield
    finally:
        os.close(handle)


def _group_id(name: str) -> int:
    import grp  # noqa: PLC0415 - only a signer with a group asks the system for it

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise ConsentInputError(
            f"there is no group {name} on this machine", "Make it, or name another."
        ) from error
