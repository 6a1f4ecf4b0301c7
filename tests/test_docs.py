"""The documents say what the program does: commands parse, pages are made anew and compared; `test_docs_run.py` runs two of them."""

from __future__ import annotations

import ast
import enum
import importlib.util
import inspect
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

import cli
from consent import vocabulary

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "packaging/**/*.md")
    for path in ROOT.glob(pattern)
)
REGENERATE = ".venv/bin/python -P docs/make_reference.py"


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


# ---------------------------------------------------------------- commands parse


def shell_lines(page: str) -> list[str]:
    """Every line of a fenced or indented block that calls luvalla; continued lines as one."""
    blocks = re.findall(r"^```(?:sh|console|bash)?\n(.*?)^```$", text_of(page), re.DOTALL | re.MULTILINE)
    blocks += re.findall(r"(?:^ {4}\S.*\n(?: {4}.*\n)*)", text_of(page), re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", "\n".join(blocks)).splitlines()
    return [line.strip() for line in lines if re.match(r"(\$ )?(\w+ \S+ \| )?luvalla ", line.strip())]


def calls(line: str) -> list[list[str]]:
    """The words after `luvalla` of each call in a line, also of those in `$(...)` and behind a pipe."""
    inner = re.findall(r"\$\((luvalla [^|)]*)", line)
    outer = re.sub(r"\$\([^)]*\)", "VALUE", line.removeprefix("$ "))
    lexer = shlex.shlex(outer, posix=True, punctuation_chars="|&;><")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    found: list[list[str]] = [[]]
    for word in lexer:
        if word and set(word) <= set("|&;><"):
            found.append([])
        else:
            found[-1].append(word)
    found += [shlex.split(each) for each in inner]
    return [words[1:] for words in found if words[:1] == ["luvalla"]]


def why_it_does_not_parse(words: list[str]) -> str:
    """Empty if click would take these words; the command itself is not run, and no file is looked for."""
    command: click.Command = cli.luvalla
    ctx = click.Context(command, info_name="luvalla")
    words = list(words)
    while isinstance(command, click.Group):
        if not words or words[0] in {"--help", "-h", "--version"}:
            return ""
        if words[0] == "--home":
            words = words[2:]
            continue
        name = words.pop(0)
        found = command.get_command(ctx, name)
        if found is None:
            return f"there is no command {name!r}"
        command, ctx = found, click.Context(found, info_name=name, parent=ctx)
    try:
        given, rest, _ = command.make_parser(ctx).parse_args(words)
    except click.UsageError as error:
        return error.format_message()
    if rest:
        return f"nothing takes {rest}"
    if given.get("help"):
        return ""
    for param in command.params:
        value = given.get(param.name)
        missing = value is None or type(value).__name__ == "Sentinel"
        if param.required and missing and not param.envvar:
            return f"{param.name} is missing"
        if (
            isinstance(param.type, click.Choice)
            and isinstance(value, str)
            and not re.search(r"[|…A-Z]", value)
        ):
            try:
                param.type.convert(value, param, ctx)
            except click.UsageError as error:
                return error.format_message()
    return ""


@pytest.mark.parametrize("page", [page for page in PAGES if "docs/reference/" not in page])
def test_every_command_shown_exists_and_takes_its_options(page: str) -> None:
    wrong = [
        f"{line}: {why}"
        for line in shell_lines(page)
        for words in calls(line)
        if (why := why_it_does_not_parse(words))
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_named_in_a_sentence_exists(page: str) -> None:
    text = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    wrong = []
    for named in re.findall(r"`luvalla ([a-z][^`]*)`", " ".join(text.split())):
        words = named.split()
        command: click.Command | None = cli.luvalla
        while words and isinstance(command, click.Group) and re.fullmatch(r"[a-z-]+", words[0]):
            command = command.get_command(click.Context(command), words.pop(0))
        if command is None:
            wrong.append(named)
            continue
        known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
        known |= {"--help", "--home", "--version"}
        wrong += [f"{named}: {word}" for word in words if word.startswith("--") and word not in known]
    assert wrong == []


def test_the_check_of_commands_finds_what_is_wrong() -> None:
    assert why_it_does_not_parse(["models", "list"]) == ""
    assert "no command" in why_it_does_not_parse(["models", "lsit"])
    assert "--recip" in why_it_does_not_parse(["models", "train", "x", "--recip", "y"])
    assert "missing" in why_it_does_not_parse(["models", "train", "x"])
    assert "nothing takes" in why_it_does_not_parse(["promote", "x", "1", "2"])
    assert why_it_does_not_parse(["board", "decide", "x", "1", "--choice", "maybe"]) != ""
    assert calls("echo a | luvalla verify f  # luvalla x") == [["verify", "f"]]


# ---------------------------------------------------------------- pages made from the code, links, words


def test_the_reference_is_what_the_code_says() -> None:
    specification = importlib.util.spec_from_file_location(
        "make_reference", ROOT / "docs" / "make_reference.py"
    )
    assert specification is not None
    assert specification.loader is not None
    maker = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(maker)
    folder = ROOT / "docs" / "reference"
    stale = {
        name
        for name, page in maker.pages().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != page
    }
    assert stale == set(), f"the code has moved on: run `{REGENERATE}` and commit docs/reference/"
    assert {path.name for path in folder.iterdir()} == set(maker.pages())


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives a page's headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    wrong = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, fragment = link.partition("#")
        target = (ROOT / page).parent / place if place else ROOT / page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            wrong.append(link)
    assert wrong == []


def test_every_document_is_named_for_some_reader() -> None:
    linked = set()
    for page in ("README.md", "docs/index.md"):
        for link in re.findall(r"\]\(([^)\s#]+)\)", text_of(page)):
            linked.add(((ROOT / page).parent / link).resolve())
    alone = [
        page
        for page in PAGES
        if page.startswith("docs/")
        and page != "docs/index.md"
        and not {(ROOT / page).resolve(), (ROOT / page).resolve().parent} & linked
    ]
    assert alone == []


def committed() -> list[Path]:
    """Every committed file; in a tree without git, every file outside hidden folders."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(ROOT).parts[:-1])
    ]


# Written apart, so that this file does not name one.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("pypi", "python", "org"), ("files", "pythonhosted", "org"), ("deb", "debian", "org"),
        ("security", "debian", "org"), ("archive", "ubuntu", "com"), ("registry", "npmjs", "org"), ("registry", "yarnpkg", "com"),
        ("conda", "anaconda", "org"), ("proxy", "golang", "org"), ("static", "crates", "io"), ("index", "crates", "io"),
        ("registry", "hub", "docker", "com"), ("download", "pytorch", "org"), ("ghcr", "io"),
    )
]  # fmt: skip


def test_no_committed_file_names_a_registry() -> None:
    hosts = re.compile("|".join(re.escape(host) for host in REGISTRIES).encode())
    wrong = [
        f"{path.relative_to(ROOT)}: {found[0].decode()}"
        for path in committed()
        if (found := hosts.search(path.read_bytes()))
    ]
    assert wrong == []


def test_the_glossary_has_every_word_of_the_vocabulary() -> None:
    glossary = set(re.findall(r"`([^`]+)`", text_of("docs/glossary.md")))
    kinds = [
        kind
        for _, kind in inspect.getmembers(vocabulary, inspect.isclass)
        if issubclass(kind, enum.Enum) and kind.__module__ == vocabulary.__name__
    ]
    assert len(kinds) >= 6
    missing = {
        f"{kind.__name__}: {word}"
        for kind in kinds
        for member in kind
        if (word := getattr(member, "word", member.value)) not in glossary
    }
    assert missing == set()


@pytest.mark.parametrize("room", [*cli.ROOMS, "cli.py"])
def test_every_module_says_what_it_holds(room: str) -> None:
    place = ROOT / room
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in ([place] if place.is_file() else sorted(place.rglob("*.py")))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_the_readme_opens_with_a_refusal_and_has_the_two_commands() -> None:
    readme = text_of("README.md")
    screen = "\n".join(readme.splitlines()[:50])
    assert "The gate: FAILED." in screen or ": FAILED" in screen
    assert "make demo" in readme
    assert "make test" in readme
    assert "does not prove" in readme
    users = re.findall(r"^\*\*(.+?)\*\*.*?^```sh\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in users] == ["Data scientist", "Ethics board", "Citizen"]
    for name, block in users:
        said = [line for line in block.splitlines() if "luvalla" in line and "luvalla serve" not in line]
        assert len([line for line in said if not line.startswith("export")]) == 5, name
