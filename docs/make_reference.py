# ruff: noqa: INP001 - a program beside the pages it makes, not a package
"""Makes docs/reference/ from the code: `.venv/bin/python -P docs/make_reference.py`. tests/test_docs.py compares.

Nothing here is written by hand twice: commands and options come from click's own objects, limits from the policy that ships,
purposes from the purposes file that ships, errors from the rooms' errors.py, and the Python pages from signatures and docstrings.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

import cli
from consent.purposes import parse
from governance import policy as policies
from governance.founding import shipped_purposes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from governance.profile import LineSpec

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "reference"
COMMAND = ".venv/bin/python -P docs/make_reference.py"
MADE = f"<!-- Made from the code by `{COMMAND}`: change the code, not this page. -->"

# What a data scientist or a developer calls from Python; all else is found from here.
MODULES = (
    "models.service", "models.plugins", "models.datasets", "models.population", "models.training", "models.mitigation",
    "models.scoring", "models.reasons", "models.artifact", "models.registry", "models.card", "models.testing",
    "audits.runner", "audits.from_counts", "audits.count_table", "audits.lines", "audits.check", "audits.finding", "audits.report", "audits.html", "audits.compare",
    "audits.benefit_trial", "audits.benefit", "audits.benefit_folds", "audits.benefit_facts", "audits.row_facts", "audits.measures", "audits.label_facts", "audits.subgroup_facts", "audits.proxy_facts", "audits.consent_facts", "models.insurance_trial", "audits.robust_facts",
    "consent.home", "consent.setup", "consent.ledger", "consent.ledger_reader", "consent.records", "consent.uses", "consent.bulk",
    "consent.purposes", "consent.vocabulary", "consent.trust", "consent.tlog.verify",
    "governance.policy", "governance.gate", "governance.board", "governance.ballot", "governance.vote",
    "governance.certificate", "governance.house", "governance.development", "governance.auditing", "governance.promotion",
    "governance.run",
)  # fmt: skip


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command of the table, with its whole path, in the table's order."""
    for path in cli.TABLE:
        command: click.Command | None = cli.luvalla
        for word in path.split():
            if not isinstance(command, click.Group):
                break
            command = command.get_command(click.Context(command), word)
        if command is not None:
            yield path, command


def exit_codes() -> list[tuple[str, str]]:
    """Code and meaning, from the command line's own epilog."""
    text = (cli.luvalla.epilog or "").removeprefix("Exit codes: ").rstrip(".")
    return [(code, meaning) for code, _, meaning in (part.partition(" ") for part in text.split("; "))]


def cli_page() -> str:
    """Every command with its arguments, options and exit codes."""
    out = [
        MADE,
        "# Commands",
        "Result on standard output, talk on standard error. `luvalla COMMAND --help` says the same as this page.",
        "Every command exits with one of these codes:",
        _table(("code", "meaning"), exit_codes()),
        "Options of `luvalla` itself, before the command:",
        _options(click.Context(cli.luvalla, info_name="luvalla")),
    ]
    group = None
    for path, command in commands():
        first, _, rest = path.partition(" ")
        if rest and first != group:
            out.append(f"## luvalla {first}")
            out.append(cli.GROUPS[first])
        group = first if rest else None
        ctx = click.Context(command, info_name=f"luvalla {path}")
        usage = " ".join(["luvalla", path, *command.collect_usage_pieces(ctx)])
        out += [f"{'###' if rest else '##'} luvalla {path}", f"```text\n{usage}\n```"]
        out += [_plain(command.help or cli.TABLE[path].help), _options(ctx)]
    return _page(out)


def _plain(text: str) -> str:
    """A help text's paragraphs, one a line; what stands in capitals and options read as they are typed."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text.replace("\b", "")))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _options(ctx: click.Context) -> str:
    """A command's options, with defaults; `--help`, which every command has, is left out."""
    options = [each for each in ctx.command.params if isinstance(each, click.Option)]
    records = [record for each in options if (record := each.get_help_record(ctx))]
    return _table(("option", "what it does"), [(f"`{name}`", text) for name, text in records])


def policy_page() -> str:
    """The lines of the policy that ships, profile by profile, with reasons and sources."""
    shipped = policies.load(policies.shipped())
    out = [
        MADE,
        f"# The policy that ships: {shipped.name} {shipped.version}",
        f"{shipped.title}. Dated {shipped.dated}. Source: {shipped.source}.",
        (
            "It is a proposal to a board. The file is "
            "[governance/policies/luvalla-2026.toml](../../governance/policies/luvalla-2026.toml); `luvalla init --policy FILE` "
            "takes another. Each line compares a group with everyone else. A line passes if its "
            f"{shipped.rule.level:.0%} interval lies inside the limit, fails if its interval, adjusted over the deciding lines, lies "
            f"wholly outside, and is otherwise not enough evidence. Under {shipped.rule.few} people: too few to judge."
        ),
        "*Decides* can pass and fail a version; *screens* can fail it only; *described* does neither.",
    ]
    for name, profile in shipped.profiles.items():
        services = [each for each in shipped.services.values() if each.profile == name]
        out += [f"## {name} ({profile.kind})", f"{profile.title}."]
        out += [f"Checks that must have run: {', '.join(profile.required_checks)}."]
        for each in services:
            groups = "; ".join(f"{what}: {', '.join(values)}" for what, values in each.deciding.items())
            screened = ", ".join(each.screened) or "nothing"
            out.append(
                f"For `{each.service}`: decides on {groups}; screens {screened}. {each.why} Source: {each.source}."
            )
        rows = [_line_row(line) for line in profile.lines]
        out.append(_table(("metric", "limit", "role", "why", "source"), rows))
    board = shipped.board
    accept = board.accept
    out += [
        "## The board",
        (
            f"A certificate holds {board.certificate_months} months at most, a ballot is open for {board.ballot_days} days, one "
            f"member's suspension lasts {board.suspension_days} days at most."
        ),
        (
            f"Not enough evidence may be accepted: {'yes' if accept.allowed else 'no'}; leaning {accept.leaning}, the interval "
            f"excludes {accept.exclude_times_limit:g} times the limit, for {accept.months_at_most} months at most, and only on an audit that would have passed a model alike in every "
            f"group {accept.chance_at_least:.0%} of the time or more; a line once, unless its interval has narrowed by a quarter since. "
            "Reasons and sources stand in the file."
        ),
    ]
    return _page(out)


def _line_row(line: LineSpec) -> tuple[str, ...]:
    limit = f"{line.direction} {line.limit:.2f}"
    if line.unless_need_is_lower:
        limit += ", only where measured need is not lower"
    why = line.why + (f" May not apply: {line.may_not_apply}." if line.may_not_apply else "")
    return (f"`{line.metric}`", limit, str(line.role.value), why, line.source)


def purposes_page() -> str:
    """The purposes that ship, with basis, processing, times and what stops when someone says no."""
    out = [
        MADE,
        "# The purposes that ship",
        (
            "From [governance/templates/purposes.toml](../../governance/templates/purposes.toml), where the notices stand in full in "
            "Finnish, Swedish and English. The controller is invented: a city writes its own file (`luvalla init --purposes FILE`)."
        ),
    ]
    for purpose in parse(shipped_purposes()):
        rows = [
            ("title", purpose.title["en"]),
            ("in Finnish, Swedish", f"{purpose.title['fi']}; {purpose.title['sv']}"),
            ("what happens", purpose.description["en"]),
            ("if a person says no", purpose.effects_of_no["en"]),
            ("service", f"`{purpose.service}`"),
            ("legal basis", f"`{purpose.legal_basis}`"),
            ("processing", ", ".join(f"`{word}`" for word in purpose.processing)),
            ("categories", ", ".join(f"`{word}`" for word in purpose.categories)),
            ("a consent lasts", f"{purpose.consent_days} days"),
            ("values used are kept", f"{purpose.retention_days} days"),
            ("recipients", "; ".join(purpose.recipients) or "nobody else"),
            ("notice", f"`{purpose.notice.id}`, version {purpose.notice.version}"),
        ]
        out += [f"## {purpose.id}, version {purpose.version}", _table(("", ""), rows)]
    return _page(out)


def errors_page() -> str:
    """Every error of the rooms with its exit code: what a script can rely on."""
    out = [
        MADE,
        "# Errors and exit codes",
        (
            "Each room has one root. An error has a `message` (what was got, what was expected), a `hint` (what to do) and an "
            "`exit_code`. No message holds personal data. An expected no is no error: it is a value with its reason, and exit code 1."
        ),
        _table(("code", "meaning"), exit_codes()),
    ]
    for room in cli.ROOMS:
        module = importlib.import_module(f"{room}.errors")
        found = [
            each
            for _, each in inspect.getmembers(module, inspect.isclass)
            if each.__module__ == module.__name__
        ]
        rows = [
            (f"`{each.__name__}`", str(_code(each)), _first(inspect.getdoc(each)))
            for each in sorted(found, key=lambda each: (len(each.__mro__), _code(each), each.__name__))
            if issubclass(each, Exception)
        ]
        out += [f"## {room}.errors", _table(("error", "code", "when"), rows)]
    return _page(out)


def _code(error: type[object]) -> int:
    """The exit code that a class of error gives."""
    return int(getattr(error, "exit_code", 70))


def python_page() -> str:
    """Signatures and first sentences of what is public in the modules that people call."""
    out = [
        MADE,
        "# From Python",
        (
            "No underscore and a docstring: public, and kept stable within a minor version. Import from the module that defines a name; "
            "the packages themselves hold nothing. `help(name)` tells arguments, shapes and errors in full."
        ),
    ]
    for name in MODULES:
        file = ROOT / (name.replace(".", "/") + ".py")
        tree = ast.parse(file.read_text(encoding="utf-8"))
        members = [line for node in tree.body for line in _member(node)]
        out += [f"## {name}", _first(ast.get_docstring(tree)), "\n".join(members)]
    return _page(out)


def _member(node: ast.stmt, owner: str = "") -> list[str]:
    """One bullet for a public function or class, and for a class's public methods."""
    if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
        return []
    said = _first(ast.get_docstring(node))
    if isinstance(node, ast.FunctionDef):
        decorators = {ast.unparse(each) for each in node.decorator_list}
        if decorators & {"property", "cached_property"}:
            return [f"  - `.{node.name}`: {said}"]
        arguments = ast.unparse(node.args)
        if owner and "staticmethod" not in decorators:
            arguments = re.sub(r"^(self|cls)(, )?(/, )?", "", arguments)
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        signature = f"{node.name}({arguments}){returns}".replace('"', "'")
        return [f"  - `.{signature}`: {said}" if owner else f"- `{signature}`: {said}"]
    members = [line for each in node.body for line in _member(each, node.name)]
    return [f"- **`{node.name}`**: {said}", *members]


def _first(text: str | None) -> str:
    """The first paragraph of a docstring, on one line, without Sphinx's marks."""
    paragraph = " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())
    return re.sub(r":(?:func|class|mod|data):`([^`]+)`", r"`\1`", paragraph).replace("``", "`")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    cells = [head, tuple("---" for _ in head), *rows]
    lines = (
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |" for row in cells
    )
    return "\n".join(lines)


def _page(parts: list[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def pages() -> dict[str, str]:
    """File name -> text of every page of docs/reference/."""
    return {
        "cli.md": cli_page(),
        "errors.md": errors_page(),
        "policy.md": policy_page(),
        "purposes.md": purposes_page(),
        "python.md": python_page(),
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file_name, text in pages().items():
        (FOLDER / file_name).write_text(text, encoding="utf-8")
