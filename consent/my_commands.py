"""`luvalla my ...`: the citizen's client of the API; the standard library speaks HTTP, and the token is never shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import click

from consent import answers, fetch, lines
from consent.errors import ConsentError, ConsentInputError, ConsentUnavailableError, RunPeopleLostError
from consent.options import answer_language_option, as_of_options, full_option, json_option, respond

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

WHAT: Final = "the citizens' API"
LONGEST_TOKEN: Final = 8192
_OK, _CREATED, _UNAUTHORISED, _NOT_FOUND, _GONE, _FIRST_SERVER_ERROR = 200, 201, 401, 404, 410, 500


def api_options(command: Callable[..., None]) -> Callable[..., None]:
    """The address and the token, the same for every command here."""
    command = click.option(
        "--token-file",
        envvar="LUVALLA_TOKEN_FILE",
        required=True,
        type=click.Path(path_type=Path, dir_okay=False),
        help="The file that holds my access token, readable by me alone (LUVALLA_TOKEN_FILE).",
    )(command)
    return click.option(
        "--api",
        envvar="LUVALLA_API",
        required=True,
        metavar="URL",
        help="The city's address of the API; https, or http on this machine (LUVALLA_API).",
    )(command)


def read_token(path: Path) -> str:
    """Read an access token; neither it nor a part of it stands in any message.

    Args:
        path: A file that holds the token and nothing else.

    Returns:
        The token.

    Raises:
        ConsentInputError: No such file, others may read it, or it holds something else.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            raw = file.read(LONGEST_TOKEN + 2)
    except OSError as error:
        raise ConsentInputError(
            f"the token file {path} cannot be read: {error.strerror}", "Save your access token there."
        ) from error
    if mode & 0o077:
        raise ConsentInputError(
            f"the token file {path} can be read by others (mode {mode:03o})", f"chmod 600 {path}"
        )
    try:
        token = raw.decode("ascii").strip()
    except UnicodeDecodeError:
        token = ""
    # RFC 6750 s2.1: the characters of a bearer token.
    if (
        not token
        or len(token) > LONGEST_TOKEN
        or not all(each.isalnum() or each in "-._~+/=" for each in token)
    ):
        raise ConsentInputError(
            f"the token file {path} does not hold an access token",
            "One line, the token alone, without 'Bearer'.",
        )
    return token


def ask(
    api: str,
    path: str,
    token: str,
    language: str,
    *,
    said: Mapping[str, Any] | None = None,
    key: str | None = None,
    most: int = fetch.MOST_BYTES,
    seconds: float = fetch.SECONDS,
) -> dict[str, Any]:
    """Ask the API one question, or tell it something.

    Args:
        api: The API's address.
        path: Beginning with a slash.
        token: The access token.
        language: ``fi``, ``sv`` or ``en``.
        said: What is told (POST); None to ask (GET).
        key: A name of what is told, for retries.
        most: The most bytes of an answer that are read.
        seconds: How long to wait for each step of the connection.

    Returns:
        The answer's JSON object.

    Raises:
        ConsentInputError: The address or the token is refused, or there is no such thing (exit 2).
        ConsentUnavailableError: The API cannot be reached, or does not answer as itself (exit 4).
    """
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Language": language}
    address = fetch.checked_address(api) + path
    if said is None:
        answer = fetch.get(address, headers, what=WHAT, seconds=seconds)
    else:
        headers |= {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key})
        answer = fetch.post(
            address, json.dumps(said).encode(), headers=headers, what=WHAT, most=most, seconds=seconds
        )
    if answer.status in (_OK, _CREATED) and answer.content_type == "application/json":
        try:
            body = json.loads(answer.body)
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict):
            return body
    raise _refusal(answer, path)


def as_of_path(path: str, at: datetime | None, index: int | None) -> str:
    """The address of a question about the past: what was known at a size of the log, or by an instant (UTC)."""
    wanted: dict[str, Any] = {} if at is None else {"at": answers.time_text(at)}
    if index is not None:
        wanted["as_of_index"] = index
    return f"{path}?{urlencode(wanted)}" if wanted else path


def _refusal(answer: fetch.Answer, path: str) -> ConsentError:
    """Say what an answer that is not the wanted one means; the server's own sentence only where it is problem details."""
    told = ""
    if answer.content_type == "application/problem+json":
        try:
            problem = json.loads(answer.body)
            told = f"{problem['title']}: {problem['detail']}"[:500]
        except (ValueError, KeyError, TypeError, RecursionError):
            told = ""
        told = _printable(told)
    if answer.status == _UNAUTHORISED and told:
        return ConsentInputError(told, "Log in again and save the new token.")
    if answer.status >= _FIRST_SERVER_ERROR and told:
        return ConsentUnavailableError(told, "Try again later.")
    if answer.status == _GONE and told:
        return RunPeopleLostError(told, "`luvalla my uses` lists it among what cannot be said.")
    if answer.status == _NOT_FOUND and told:
        return ConsentInputError(
            told,
            "`luvalla my uses` lists the runs with their ids."
            if "/uses/" in path
            else "`luvalla my consents` shows the purposes, and what is on record.",
        )
    if told:
        return ConsentInputError(told)  # its own sentence says what to do
    return ConsentUnavailableError(
        f"the address answers, but not as {WHAT} (status {answer.status}, {answer.content_type})",
        "Check --api: the address without /v1.",
    )


def _printable(text: str) -> str:
    """Take out what would steer a terminal: the text is another machine's."""
    return "".join(each if each.isprintable() else " " for each in text)


def show(answer: dict[str, Any], write: Callable[[], Any], *, as_json: bool) -> None:
    """Print an answer; one that lacks what this version reads came from another one."""
    try:
        told = [] if as_json else [_printable(line) for line in write()]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ConsentUnavailableError(
            "the answer is not of this version of the API",
            "Use the luvalla of the city's version, or --json.",
        ) from error
    respond(answer, told, as_json=as_json)


@click.command()
@as_of_options
@api_options
@answer_language_option
@json_option
def consents(
    *, as_of_index: int | None, at: datetime | None, api: str, token_file: Path, language: str, as_json: bool
) -> None:
    """Show what I said yes or no to, since when and until when."""
    answer = ask(api, as_of_path("/v1/me/consents", at, as_of_index), read_token(token_file), language)
    show(answer, lambda: lines.consents(answer["consents"], language), as_json=as_json)


@click.command()
@as_of_options
@api_options
@answer_language_option
@json_option
def uses(
    *, as_of_index: int | None, at: datetime | None, api: str, token_file: Path, language: str, as_json: bool
) -> None:
    """List every recorded use of my data: who, for what, on what basis, which model, when, with what result."""
    answer = ask(api, as_of_path("/v1/me/uses", at, as_of_index), read_token(token_file), language)
    show(answer, lambda: lines.uses(answer["uses"], language, answer.get("lost", ())), as_json=as_json)


class _RunCommand(click.Command):
    """A command whose RUN may begin with a dash, as one run id in 64 does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move what is a run's id behind a double dash, so that it is not taken for an option."""
        run = next((each for each in args if each.startswith("-") and _is_run(each)), None)
        if run is not None and "--" not in args:
            args = [each for each in args if each is not run] + ["--", run]
        return super().parse_args(ctx, args)


def _is_run(text: str) -> bool:
    try:
        return len(answers.parse_run(text)) == answers.RUN_BYTES
    except ConsentInputError:
        return False


@click.command(cls=_RunCommand)
@click.argument("run")
@full_option
@api_options
@answer_language_option
@json_option
def why(*, run: str, full: bool, api: str, token_file: Path, language: str, as_json: bool) -> None:
    """Tell why RUN (an id of `luvalla my uses`) came out as it did for me, and how to contest it."""
    path = f"/v1/me/uses/{answers.run_text(answers.parse_run(run))}/why" + (
        "?full=true" if full or as_json else ""
    )
    answer = ask(api, path, read_token(token_file), language)
    show(answer, lambda: lines.why(answer, language), as_json=as_json)
