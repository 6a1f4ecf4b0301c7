"""A receipt as a page that stands alone, and as plain text; only the standard library, nothing is fetched, no script runs."""

from __future__ import annotations

import base64
import textwrap
from html import escape
from typing import TYPE_CHECKING, Any, Final

from consent.receipt_files import text_of
from consent.receipt_reading import Part, Reading, read
from consent.receipt_words import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FORMATS: Final = ("json", "html", "text")
SUFFIXES: Final = {"json": "json", "html": "html", "text": "txt"}
MEDIA_TYPES: Final = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
WIDTH: Final = 88
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE: Final = """
:root{--ink:#1b1f24;--quiet:#4d5560;--line:#c9ced6;--wash:#f5f6f8;--yes:#14532d;--yes-wash:#e7f4ea;--blue:#123c7c}
*{box-sizing:border-box}
html{color-scheme:light}
body{margin:0 auto;max-width:46rem;padding:1.5rem 1.25rem 4rem;background:#fff;color:var(--ink);font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
h1{font-size:1.15rem;color:var(--quiet);font-weight:600;margin:0 0 .6rem}
h2{font-size:1.35rem;line-height:1.25;margin:2.4rem 0 .6rem}
p{margin:.35rem 0 .7rem}
a{color:var(--blue)}
a:focus-visible,summary:focus-visible{outline:3px solid #1a56db;outline-offset:2px}
.lead{border:2px solid var(--quiet);border-left-width:.6rem;border-radius:.35rem;padding:1rem 1.25rem;background:var(--wash)}
.lead .word{font-size:1.8rem;font-weight:700;line-height:1.2;margin:0 0 .4rem}
.lead p{margin:0}
.lead.yes{border-color:var(--yes);background:var(--yes-wash)}.lead.yes .word{color:var(--yes)}
dl{display:grid;grid-template-columns:minmax(9rem,14rem) 1fr;gap:.45rem 1rem;margin:.6rem 0}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
li{margin:.35rem 0}
.notice{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--wash);border:1px solid var(--line);border-radius:.35rem;padding:.8rem 1.1rem}
.save{display:inline-block;border:2px solid var(--blue);border-radius:.35rem;padding:.45rem .9rem;font-weight:600}
code{display:block;overflow-wrap:anywhere;background:var(--wash);border:1px solid var(--line);border-radius:.25rem;padding:.5rem .7rem;font-size:.88em}
@media (max-width:36rem){dl{grid-template-columns:1fr;gap:0}dt{margin-top:.6rem}}
@media print{body{max-width:none;padding:0;font-size:10.5pt}.lead,li,dd{break-inside:avoid}h2{break-after:avoid}.save{display:none}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
""".strip()


def written(receipt: Mapping[str, Any], form: str, language: str) -> str:
    """A receipt in one of `FORMATS`."""
    if form == "html":
        return page(receipt, language)
    return text(receipt, language) if form == "text" else text_of(receipt)


def page(receipt: Mapping[str, Any], language: str, witnesses: Sequence[str] | None = None) -> str:
    """A receipt as one HTML file.

    Args:
        receipt: The receipt; its file is in the page, behind a link that saves it.
        language: `fi`, `sv` or `en`.
        witnesses: As for `receipt_reading.read`.

    Returns:
        HTML that fetches nothing and runs nothing.
    """
    reading = read(receipt, language, witnesses)
    return "".join(f"{line}\n" for line in _html(receipt, reading))


def text(receipt: Mapping[str, Any], language: str) -> str:
    """A receipt as plain text, in lines of at most 88 characters where words allow it; without the receipt's file."""
    return "".join(f"{line}\n" for line in _text(read(receipt, language)))


def _html(receipt: Mapping[str, Any], reading: Reading) -> Iterator[str]:
    language = reading.language
    file = base64.b64encode(text_of(receipt).encode()).decode()
    yield "<!doctype html>"
    yield f'<html lang="{language}">'
    yield '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
    yield f"<title>{escape(reading.title)}: {escape(reading.lead)}</title>"
    yield f"<style>{STYLE}</style></head>"
    yield f"<body><main><h1>{escape(reading.title)}</h1>"
    yield f'<div class="lead{" yes" if reading.good else ""}"><p class="word">{escape(reading.lead)}</p>'
    yield f"<p>{escape(reading.means)}</p></div>"
    for part in reading.parts:
        yield from _section(part)
    if reading.notice is not None:
        words, spoken = reading.notice
        yield f"<section><h2>{escape(say('notice', language))}</h2>"
        yield f'<div class="notice" lang="{escape(spoken)}">{escape(words.strip())}</div></section>'
    yield from _section(reading.proof[0])
    yield from _section(reading.proof[1])
    yield f"<section><h2>{escape(say('check', language))}</h2><p>{escape(say('reading-aid', language))}</p><ol>"
    save, fetch, command = reading.steps
    link = f'<a class="save" download="receipt.json" href="data:application/json;base64,{file}">'
    yield f"<li>{escape(save)}<br>{link}{escape(say('download', language))}</a></li>"
    yield f"<li>{escape(fetch)}</li><li>{escape(command)} <code>{escape(reading.command)}</code></li></ol></section>"
    yield from _section(reading.proof[2])
    yield "</main></body></html>"


def _section(part: Part) -> Iterator[str]:
    yield f"<section><h2>{escape(part.heading)}</h2>"
    for sentence in part.sentences:
        yield f"<p>{escape(sentence)}</p>"
    if part.points:
        yield "<ul>" + "".join(f"<li>{escape(point)}</li>" for point in part.points) + "</ul>"
    if part.facts:
        rows = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in part.facts)
        yield f"<dl>{rows}</dl>"
    yield "</section>"


def _text(reading: Reading) -> Iterator[str]:
    language = reading.language
    yield reading.title
    yield "=" * len(reading.title)
    yield ""
    yield from _lines(reading.lead.upper() if reading.good else reading.lead)
    yield from _lines(reading.means)
    for part in reading.parts:
        yield from _part(part)
    if reading.notice is not None:
        yield from ("", say("notice", language), "-" * len(say("notice", language)))
        for line in reading.notice[0].strip().split("\n"):
            yield from _lines(line, "| ") if line.strip() else ["|"]
    yield from _part(reading.proof[0])
    yield from _part(reading.proof[1])
    yield from ("", say("check", language), "-" * len(say("check", language)))
    yield from _lines(say("reading-aid", language))
    for number, step in enumerate(reading.steps, 1):
        yield from _lines(step, f"{number}. ", "   ")
    yield f"   {reading.command}"
    yield from _part(reading.proof[2])


def _part(part: Part) -> Iterator[str]:
    yield from ("", part.heading, "-" * len(part.heading))
    for sentence in part.sentences:
        yield from _lines(sentence)
    for point in part.points:
        yield from _lines(point, "- ", "  ")
    for label, value in part.facts:
        yield from _lines(f"{label}: {value}" if label else value, "", "  ")


def _lines(words: str, first: str = "", rest: str | None = None) -> list[str]:
    """Wrap, and never break a digest or an id in two."""
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
