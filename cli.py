"""The one command line: a table from command path to the object that runs it; nothing is imported until it is called."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import sys
from pathlib import Path
from typing import IO, Any, NamedTuple

import click


class Entry(NamedTuple):
    """Where a command lives and what one line of help says of it."""

    target: str
    help: str


# Sorted as a stranger reads: first the whole, then the three users, then the machinery. One line a command.
# fmt: off
TABLE: dict[str, Entry] = {
    "demo": Entry("governance.demo_command:demo", "The whole promise on real rows, in under a minute."),
    "init": Entry("governance.commands:init", "Make a home of one's own (LUVALLA_HOME)."),
    "status": Entry("governance.commands:status", "The ledger's head, the versions' state, and what waits for whom."),
    "consent purposes": Entry("consent.commands:purposes", "What people can say yes or no to."),
    "consent adopt": Entry("consent.adopt_command:adopt", "Record a changed purposes file."),
    "consent ask": Entry("consent.commands:ask", "Record that a person was asked."),
    "consent give": Entry("consent.commands:give", "Record a yes."),
    "consent refuse": Entry("consent.commands:refuse", "Record a no."),
    "consent withdraw": Entry("consent.commands:withdraw", "Record a change of mind."),
    "consent revoke": Entry("consent.commands:revoke", "Record that the controller ends a consent."),
    "consent expire": Entry("consent.expire_command:expire", "Note which consents have run out."),
    "consent object": Entry("consent.right_commands:object_", "Record an objection: runs leave the person out."),
    "consent restrict": Entry("consent.right_commands:restrict", "Record a restriction of processing."),
    "consent lift": Entry("consent.right_commands:lift", "Lift a restriction, or withdraw an objection."),
    "consent correct": Entry("consent.right_commands:correct", "Record that a consent was recorded wrongly."),
    "consent rights": Entry("consent.right_commands:rights", "The rights a person exercised, and what stands."),
    "consent permit": Entry("consent.permit_command:permit", "Whether one person's data may be processed."),
    "consent show": Entry("consent.commands:show", "What one person agreed to, and since when."),
    "consent uses": Entry("consent.commands:uses", "Every use of one person's data."),
    "consent why": Entry("consent.commands:why", "Why a run came out as it did for one person."),
    "consent receipt": Entry("consent.commands:receipt", "A receipt that proves itself offline."),
    "consent export": Entry("consent.export_command:export", "A copy of what is held about one person."),
    "consent erase": Entry("consent.erase_command:erase", "Erase people; everyone else's proofs still hold."),
    "consent readmit": Entry("consent.erase_command:readmit", "Let somebody erased be asked again, at their own wish."),
    "ledger check": Entry("consent.ledger_commands:check", "Recompute everything and name each fault."),
    "ledger checkpoint": Entry("consent.ledger_commands:checkpoint", "Sign the ledger's head and print it."),
    "ledger vkey": Entry("consent.ledger_commands:vkey", "The keys a verifier needs, and the trust root's digest."),
    "ledger migrate": Entry("consent.migrate_command:migrate", "Bring a ledger that an older luvalla wrote to this one's schema."),
    "ledger publish": Entry("consent.publish_commands:publish", "Write the log as files that anyone can serve and check."),
    "ledger prove": Entry("consent.publish_commands:prove", "The proof that one entry is in the log."),
    "ledger monitor": Entry("consent.monitor_command:monitor", "Follow a published log from outside."),
    "ledger refill": Entry("consent.refill_command:refill", "Fill an older restored ledger again from its published log."),
    "ledger signer": Entry("consent.signer_command:signer", "Hold the log's key in a process apart."),
    "ledger confirm-clock": Entry("consent.clock_command:confirm_clock", "Go on after a long silence, with a clock that was looked at."),
    "ledger restore-opening": Entry("consent.restore_command:restore_opening", "Bring a lost opening back from somebody's receipt."),
    "ledger witness": Entry("consent.witness_command:witness", "Co-sign the checkpoints of somebody else's log."),
    "ledger witnesses": Entry("consent.trust_commands:witnesses", "The witnesses that count, and how many are needed."),
    "ledger rotate-key": Entry("consent.trust_commands:rotate_key", "Replace the log's signing key."),
    "ledger rotate-kek": Entry("consent.kek_command:rotate_kek", "Replace the key that wraps people's keys."),
    "ledger rotate-root-key": Entry("consent.trust_commands:rotate_root_key", "Replace the home's own root key."),
    "models list": Entry("models.commands:list_services", "The services, their recipes and what they need."),
    "models rows": Entry("governance.version_commands:rows", "Write the real rows that ship for a service, to try things on."),
    "models train": Entry("governance.version_commands:train", "Train on consenting people, register in MLflow."),
    "models card": Entry("governance.version_commands:card", "The model card of a version."),
    "audits run": Entry("governance.version_commands:audit", "Audit a version under the policy in force."),
    "audits report": Entry("audits.commands:report", "Turn a report's facts into its page."),
    "audits compare": Entry("audits.commands:compare", "What changed between two reports."),
    "board keygen": Entry("governance.board_commands:keygen", "A member's own signing key."),
    "board members": Entry("governance.board_commands:members", "Who sits on the board; add or retire one."),
    "board inbox": Entry("governance.board_commands:inbox", "What waits for a decision."),
    "board decide": Entry("governance.board_commands:decide", "Vote, with reasons, and sign."),
    "board suspend": Entry("governance.board_commands:suspend", "Stop a certified version for a while."),
    "board revoke": Entry("governance.board_commands:revoke", "Withdraw a certificate for good."),
    "promote": Entry("governance.version_commands:promote", "Certify a version that the board decided on, and move the alias."),
    "run": Entry("governance.commands:run", "Run a service on consenting people only."),
    "verify": Entry("consent.verify_command:verify", "Check a receipt offline, with the trust root alone."),
    "serve citizen": Entry("consent.serve_command:citizen", "The citizens' API."),
    "my consents": Entry("consent.my_commands:consents", "My consents, from the API."),
    "my uses": Entry("consent.my_commands:uses", "Every use of my data, from the API."),
    "my why": Entry("consent.my_commands:why", "Why a use came out as it did for me."),
    "my receipt": Entry("consent.my_receipt_command:receipt", "A receipt of my answer or of a use, from the API."),
    "my rights": Entry("consent.my_right_commands:rights", "The rights I exercised, and what stands."),
    "my right": Entry("consent.my_right_commands:right", "Object, restrict, correct: exercise a right."),
    "my export": Entry("consent.my_right_commands:export", "A copy of what is held about me."),
}
# fmt: on
GROUPS: dict[str, str] = {
    "consent": "What people agreed to (for whoever may open the ledger).",
    "ledger": "The log itself: check, sign, prove.",
    "models": "Services and their versions.",
    "audits": "The evidence on which a board decides.",
    "board": "The ethics board: keys, inbox, decisions.",
    "serve": "Servers.",
    "my": "The citizen's client of the API.",
}


class Table(click.Group):
    """A click group over a part of the table: it lists without importing, and imports what is called."""

    def __init__(self, prefix: str = "", **attrs: Any) -> None:
        super().__init__(**attrs)
        self.prefix = prefix

    def _names(self) -> dict[str, str]:
        """The next words after this group's prefix, in the table's order, with their one-line help."""
        names: dict[str, str] = {}
        for path, entry in TABLE.items():
            if not path.startswith(self.prefix):
                continue
            first, _, rest = path[len(self.prefix) :].partition(" ")
            names.setdefault(first, GROUPS[first] if rest else entry.help)
        return names

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the table's order."""
        return list(self._names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command itself, imported now, or the group of the commands that begin so."""
        path = self.prefix + cmd_name
        if path in TABLE:
            return _load(TABLE[path].target)
        if any(other.startswith(path + " ") for other in TABLE):
            return Table(prefix=path + " ", name=cmd_name, help=GROUPS[cmd_name], no_args_is_help=True)
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve as click does, and name the nearest command where there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib  # noqa: PLC0415 - only a mistyped command needs it

            near = difflib.get_close_matches(args[0], self._names(), n=1)
            if near:
                message = f"No such command '{args[0]}'. Did you mean '{near[0]}'?"
                raise click.UsageError(message, ctx) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list from the table: click's own would import every command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._names().items()))


def _load(target: str) -> click.Command:
    """Import one command from its room.

    Args:
        target: `module:object`.

    Raises:
        click.ClickException: The room is not installed (the citizen's wheel has only consent), or a stranger's
            package of the same name stands before ours.
    """
    module_name, _, attribute = target.partition(":")
    room = module_name.partition(".")[0]
    # Nothing imported here is garbage: collecting during the import, and again at exit, costs more than the modules themselves
    # (benchmarks/startup.py: `consent show` 1.5 times its imports without this, 1.1 with).
    gc.disable()
    try:
        command = getattr(importlib.import_module(module_name), attribute)
        gc.freeze()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ROOMS:
            raise
        stranger = _stranger(error.name.partition(".")[0])
        if stranger is not None:
            raise Shadowed(error.name.partition(".")[0], stranger) from error
        if error.name in ROOMS:
            raise NotInstalled(room) from error
        raise
    except ImportError as error:
        stranger = next((found for name in ROOMS if (found := _stranger(name))), None)
        if stranger is not None:
            raise Shadowed(stranger.name, stranger) from error
        raise
    finally:
        gc.enable()
    if not isinstance(command, click.Command):
        message = f"{target} is not a command"
        raise TypeError(message)
    command.epilog = command.epilog or luvalla.epilog
    return command


ROOMS = ("governance", "models", "audits", "consent")
INTERRUPTED = 130
"""128 + SIGINT, as shells say it: neither a yes nor a no."""
UNAVAILABLE = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
    }
)
"""A disk that is full, read-only, failing or somebody else's is no fault of luvalla."""


def _stranger(room: str) -> Path | None:
    """The folder of a package that shadows one of our rooms, if one does."""
    module = sys.modules.get(room)
    file = getattr(module, "__file__", None)
    if file is None:
        return None
    folder = Path(file).parent
    return None if folder.parent == Path(__file__).parent else folder


class NotInstalled(click.ClickException):
    """A command of a room that this distribution does not carry."""

    exit_code = 2

    def __init__(self, room: str) -> None:
        super().__init__(f"this command needs the room '{room}', which is not installed here")
        self.hint = "pip install luvalla (luvalla-citizen carries only the citizen's commands)"


class Shadowed(click.ClickException):
    """A stranger's package stands before one of ours on the path."""

    exit_code = 2

    def __init__(self, room: str, folder: Path) -> None:
        super().__init__(f"the folder {folder} shadows luvalla's package '{room}'")
        self.hint = "start from another folder, rename it, or use `python -P`; check PYTHONPATH"


@click.command(
    cls=Table,
    help="With permission: services that run only on audited models and consenting people.\n\n"
    "Start with `luvalla demo`, or make a home of your own with `luvalla init`.",
    epilog="Exit codes: 0 yes; 1 the answer is no; 2 wrong usage or input; 3 evidence does not verify; "
    "4 cannot be reached, locked or read-only; 70 a fault of luvalla; 130 interrupted (Ctrl-C).",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)
@click.option(
    "--home",
    envvar="LUVALLA_HOME",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".luvalla"),
    show_default=True,
    help="The folder that holds all state (LUVALLA_HOME).",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, _param, value: _show_version(ctx) if value else None,
    help="Show the version and exit.",
)
@click.pass_context
def luvalla(ctx: click.Context, home: Path) -> None:
    """The root of the table; its help stands in the decorator."""
    ctx.obj = {"home": home.absolute()}


def _show_version(ctx: click.Context) -> None:
    """Print which of the two distributions this is, and its version."""
    import importlib.metadata  # noqa: PLC0415 - costs a third of `luvalla --help`

    for name in ("luvalla", "luvalla-citizen"):
        try:
            click.echo(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
        ctx.exit()
    click.echo("luvalla, not installed as a distribution")
    ctx.exit()


def main(args: list[str] | None = None) -> None:
    """Run the command line, by default with the process's own arguments, and exit with the documented code."""
    hook, sys.unraisablehook = sys.unraisablehook, _unraisable
    try:
        code = _outcome(args)
    finally:
        sys.unraisablehook = hook
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _reader_left()
    except OSError as error:
        _silence(sys.stdout)
        code = _fault(error)
    sys.exit(code)


def _unraisable(event: sys.UnraisableHookArgs) -> None:
    """A Ctrl-C that arrives inside a library's callback or destructor cannot be raised there, and Python would print and forget it.

    It is neither printed nor forgotten: it is sent again a moment later, from outside of the place that could not raise it.
    """
    if not issubclass(event.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(event)
        return
    import _thread  # noqa: PLC0415 - only a Ctrl-C needs them
    import threading  # noqa: PLC0415 - the same

    again = threading.Timer(0.05, _thread.interrupt_main)
    again.daemon = True
    again.start()


def _outcome(args: list[str] | None) -> int:
    """Run one command and map whatever happens to an exit code (see the epilog of `luvalla --help`)."""
    stdout = sys.stdout
    try:
        result = luvalla.main(args=args, prog_name="luvalla", standalone_mode=False)
    except click.Abort as error:
        click.echo("stopped", err=True)
        # click makes an Abort of Ctrl-C; one of its own is a question that was answered with no, or not at all.
        return INTERRUPTED if isinstance(error.__cause__, KeyboardInterrupt) else 2
    except click.ClickException as error:
        error.show()
        if hint := getattr(error, "hint", ""):
            click.echo(f"hint: {hint}", err=True)
        return 2
    except BrokenPipeError:
        return _reader_left()
    except SystemExit:
        # click meets a reader that left by putting a wrapper in stdout's place and exiting with 1, which would be a no.
        if sys.stdout is not stdout:
            sys.stdout = stdout
            return _reader_left()
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 (one of the two tables that catch everything)
        if _was_ctrl_c(error):
            click.echo("stopped", err=True)
            return INTERRUPTED
        return _fault(error)
    return result if isinstance(result, int) else 0


def _was_ctrl_c(error: BaseException | None) -> bool:
    """Whether it is one, or came of one: Python 3.11 raises a RuntimeError in its place while a class is being made."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _reader_left() -> int:
    """The reader went away (`luvalla ... | head`): say nothing more, also not at interpreter exit."""
    _silence(sys.stdout)
    return 0


def _silence(stream: IO[str]) -> None:
    """Let what a stream still holds go nowhere."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a file has nothing to silence
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fault(error: BaseException) -> int:
    """Print an error of a room as it says itself; anything else is our own fault, told without its data."""
    code = getattr(error, "exit_code", None)
    message = getattr(error, "message", None)
    if isinstance(code, int) and isinstance(message, str):
        click.echo(f"error: {message}", err=True)
        if hint := getattr(error, "hint", ""):
            click.echo(f"hint: {hint}", err=True)
        return code
    if os.environ.get("LUVALLA_TRACEBACK"):
        raise error
    if isinstance(error, OSError) and error.errno in UNAVAILABLE:
        # No room asked for this file by name, so there is no better place to say it than here.
        place = f": {error.filename}" if isinstance(error.filename, str) else ""
        click.echo(f"error: {error.strerror}{place}", err=True)
        click.echo(
            "hint: check the space left on the disk, and the owner and mode of file and folder", err=True
        )
        return 4
    # An exception's own text may hold a person's data: only its kind and place are shown.
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "unknown place"
    click.echo(f"error: a fault of luvalla: {type(error).__name__} at {place}", err=True)
    click.echo("hint: run again with LUVALLA_TRACEBACK=1 for the details, and report it", err=True)
    return 70
