"""`luvalla serve citizen`: the citizens' API on uvicorn; no machine learning in this process, no person in its logs."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import ssl
import sys
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import uvicorn

from consent.at_home import current_home, open_ledger
from consent.errors import ConsentInputError, ConsentUnavailableError
from consent.fetch import is_loopback
from consent.ledger import utc_now
from consent.options import PersonId, host_option, port_option
from consent.serving import stop_at_sigterm
from consent.web import development
from consent.web.api import Service
from consent.web.app import create_app, inner_app
from consent.web.identity import Identity, KeySource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consent.home import Home

DEFAULT_PORT: Final = 8700
TOKEN_FILE: Final = "development.token"  # noqa: S105 - the name of a file


def _print_openapi(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    """Print the API's description and end, without a home or a login."""
    if value:
        click.echo(json.dumps(inner_app(None).openapi(), ensure_ascii=False, indent=1))
        ctx.exit()


@click.command()
@click.option(
    "--openapi",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_openapi,
    help="Print the API's OpenAPI document and exit.",
)
@host_option
@port_option(DEFAULT_PORT)
@click.option("--jwks", metavar="FILE|URL", help="The identity provider's public keys (JWKS).")
@click.option("--issuer", help="The only issuer (iss) whose tokens are believed.")
@click.option("--audience", help="What a token's audience (aud) must name: this API.")
@click.option(
    "--person-claim",
    default="sub",
    show_default=True,
    help="The token's claim that holds the person's id as the ledger knows it.",
)
@click.option(
    "--tls-certificate", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="PEM file."
)
@click.option("--tls-key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="PEM file.")
@click.option("--behind-tls-proxy", is_flag=True, help="Something in front of this server speaks TLS.")
@click.option(
    "--development", "is_development", is_flag=True, help="A login for one invented person; loopback only."
)
@click.option(
    "--person",
    type=PersonId(),
    default=development.PERSON,
    show_default=True,
    help="With --development: which invented person; an artificial identity code of the demo's, for instance.",
)
def citizen(
    *,
    host: str,
    port: int,
    jwks: str | None,
    issuer: str | None,
    audience: str | None,
    person_claim: str,
    tls_certificate: Path | None,
    tls_key: Path | None,
    behind_tls_proxy: bool,
    is_development: bool,
    person: str,
) -> None:
    """Serve the citizens' API: my consents, my uses, why, receipts (GET /openapi.json describes it)."""
    home = current_home()
    with open_ledger(read_only=True):
        pass  # what is wrong with the ledger is told now, not to the first citizen
    if (tls_certificate is None) != (tls_key is None):
        raise click.UsageError("--tls-certificate and --tls-key belong together.")
    if tls_certificate is not None and tls_key is not None:
        _check_tls(tls_certificate, tls_key)
    if is_development:
        _refuse_outside_development(host, jwks, issuer, audience, person)
    else:
        if jwks is None or issuer is None or audience is None:
            raise click.UsageError("Name --jwks, --issuer and --audience; or try it out with --development.")
        if not is_loopback(host) and tls_certificate is None and not behind_tls_proxy:
            raise click.UsageError(
                f"Plain http on {host} would show tokens to everyone on the way: name --tls-certificate and --tls-key, "
                "or say --behind-tls-proxy."
            )
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(_bound(host, port))
        scheme = "http" if tls_certificate is None else "https"
        name = f"[{host}]" if ":" in host else host
        address = f"{scheme}://{name}:{listening.getsockname()[1]}"
        if is_development:
            identity = stack.enter_context(_invented(home, person, address))
        else:
            assert jwks is not None and issuer is not None and audience is not None  # noqa: S101, PT018 - for mypy; checked above
            identity = Identity(KeySource(jwks), issuer, audience, person_claim)
        _log_without_people()
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(Service(home, identity)),
                log_config=None,
                access_log=False,  # its lines hold addresses and queries; the guard writes its own
                server_header=False,
                proxy_headers=False,
                ssl_certfile=tls_certificate,
                ssl_keyfile=tls_key,
            )
        )
        click.echo(f"The citizens' API is at {address}; stop it with Ctrl-C.", err=True)
        # uvicorn raises the signal again after a graceful end: turn it into one, so that the token's file goes too.
        stop_at_sigterm()
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listening])


def _check_tls(certificate: Path, key: Path) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConsentInputError(
            "the TLS certificate and key are not a pair of PEM files that belong together",
            "Give the certificate with its chain, and its key without a password.",
        ) from error


def _refuse_outside_development(
    host: str, jwks: str | None, issuer: str | None, audience: str | None, person: str
) -> None:
    if not is_loopback(host):
        raise click.UsageError(f"--development is for this machine alone: {host} is not loopback.")
    if jwks or issuer or audience:
        raise click.UsageError(
            "--development makes its own login: leave out --jwks, --issuer and --audience."
        )
    if not development.is_invented(person):
        raise click.UsageError(
            "--development is for invented people: this id could be somebody's. Give one that begins with 'invented', "
            "or an artificial identity code (individual number 900 to 999)."
        )


@contextlib.contextmanager
def _invented(home: Home, person: str, address: str) -> Iterator[Identity]:
    """Make the development login, say so loudly, and remove its token at the end."""
    identity, token = development.invented_identity(person, int(utc_now().astimezone(UTC).timestamp()))
    path = home.path / TOKEN_FILE
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(token + "\n")
    line = "*" * 72
    click.echo(
        f"{line}\n{development.LABEL}: whoever has this token is {person},\n"
        f"for {development.HOURS} hours or until this server stops. No login stands before it.\n\n{token}\n\n"
        f"luvalla my consents --api {address} --token-file {path}\n{line}",
        err=True,
    )
    try:
        yield identity
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """Bind the port now, so that a port in use is told in our words, and port 0 has a number to print."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ConsentUnavailableError(f"{host} is no address of this machine", "Name --host.") from error
    with listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen()  # who asks while the server starts waits a moment, and is not sent away
        except OSError as error:
            raise ConsentUnavailableError(
                f"cannot listen on {host} port {port}: {error.strerror}", "Name another --port, or 0 for any."
            ) from error
        yield listening


def _log_without_people() -> None:
    """Send our own lines to standard error, and of uvicorn's only that something went wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    ours = logging.getLogger("luvalla.citizen")
    ours.setLevel(logging.INFO)
    ours.addHandler(handler)
    ours.propagate = False
    theirs = logging.getLogger("uvicorn.error")
    theirs.setLevel(logging.CRITICAL)
