"""`luvalla ledger witness`: a witness that another organisation runs; it needs no home and no ledger."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consent.errors import ConsentInputError, ConsentUnavailableError
from consent.options import host_option, json_option, port_option, respond
from consent.serving import stop_at_sigterm
from consent.tlog.cosignature import WitnessKey
from consent.tlog.note import VerifierKey, generate_key, load_key, save_key
from consent.tlog.witness import WitnessState
from consent.trust_following import FollowedTrustRoot
from consent.witness_server import WitnessServer, posix_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from consent.tlog.witness import LogKeys

DEFAULT_PORT = 8701
KEY_FILE = "witness.pem"
STATE_FILE = "witness.db"


@click.command()
@click.option(
    "--state",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The witness's folder: its private key (mode 600) and its memory. Never restore the memory from a copy.",
)
@click.option("--init", is_flag=True, help="Make the key and an empty memory, print the public key, and end.")
@click.option("--name", help="With --init: the witness's name, such as ombudsman.example/witness.")
@click.option("--log", "logs", multiple=True, metavar="VKEY", help="A log to witness, by its vkey; repeat.")
@click.option(
    "--trust-root",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A log to witness, by its trust-root.json: its keys count for the sizes that it names. Read again when it changes.",
)
@click.option("--pin", help="The digest of the trust root's version 1; needed with --trust-root.")
@host_option
@port_option(DEFAULT_PORT)
@json_option
def witness(
    *,
    state: Path,
    init: bool,
    name: str | None,
    logs: tuple[str, ...],
    trust_root: Path | None,
    pin: str | None,
    host: str,
    port: int,
    as_json: bool,
) -> None:
    """Co-sign the checkpoints of others' logs, each only if it continues the last one (C2SP tlog-witness).

    Put a server that speaks TLS in front of it. A new version of the trust root counts from the next request on.

    Example: `luvalla ledger witness --state witness --init --name ombudsman.example/witness`, then the same without --init
    and --name, and with `--trust-root trust-root.json --pin sha256:...`. Exit code 4: the memory is gone, or the port is
    taken.
    """
    if init:
        _init(state, name, as_json=as_json)
        return
    if name is not None:
        raise click.UsageError("--name belongs to --init; a witness keeps the name it was made with.")
    logs_now = _logs(logs, trust_root, pin)
    memory = WitnessState(state / STATE_FILE)
    key = load_key(state / KEY_FILE, memory.name())
    try:
        server = WitnessServer((host, port), lambda body: memory.add(body, logs_now(), key, posix_now))
    except OSError as error:
        raise ConsentUnavailableError(
            f"cannot listen on {host} port {port}: {error.strerror}", "Name another --port, or 0 for any."
        ) from error
    with server:
        address = f"http://{f'[{host}]' if ':' in host else host}:{server.server_address[1]}"
        click.echo(f"The witness {WitnessKey.of(key).vkey} is at {address}; stop it with Ctrl-C.", err=True)
        stop_at_sigterm()
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


def _init(state: Path, name: str | None, *, as_json: bool) -> None:
    if name is None:
        raise click.UsageError("--init needs --name, such as ombudsman.example/witness.")
    key = generate_key(name)
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConsentUnavailableError(
            f"the folder {state} cannot be made: {error.strerror}", "Check the path and its permissions."
        ) from error
    save_key(key, state / KEY_FILE)
    WitnessState.create(state / STATE_FILE, name)
    vkey = WitnessKey.of(key).vkey
    respond({"vkey": vkey, "state": str(state)}, [vkey], as_json=as_json)


def _logs(vkeys: Sequence[str], trust_root: Path | None, pin: str | None) -> Callable[[], LogKeys]:
    """The logs to witness, asked for at each request: a trust root may have got a new version."""
    by_origin: dict[str, list[VerifierKey]] = {}
    for text in vkeys:
        key = VerifierKey.parse(text)
        by_origin.setdefault(key.name, []).append(key)
    named: dict[str, Callable[[int], Iterable[VerifierKey]]] = {
        origin: _always(given) for origin, given in by_origin.items()
    }
    if trust_root is None:
        if not named:
            raise ConsentInputError(
                "no log to witness was named",
                "Name --log VKEY (`luvalla ledger vkey` prints it) or --trust-root.",
            )
        return lambda: named
    if pin is None:
        raise click.UsageError("--trust-root needs --pin: its printed digest, got another way.")
    followed = FollowedTrustRoot(trust_root, pin, lambda text: click.echo(f"warning: {text}", err=True))

    def now() -> LogKeys:
        root = followed.newest()
        return {**named, root.origin: root.log_vkeys}

    return now


def _always(keys: Sequence[VerifierKey]) -> Callable[[int], Iterable[VerifierKey]]:
    return lambda _: keys
