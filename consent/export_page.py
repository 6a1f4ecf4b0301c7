"""An export as a page that a person can read (GDPR 12(1)); it stands alone, fetches nothing and runs nothing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from consent import export_words, lines, right_answers, value_words, words
from consent.receipt_page import POLICY, STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_INDENT = "  "


def page(document: Mapping[str, Any]) -> str:
    """An export as one HTML file, in the export's own language.

    Args:
        document: The export (docs/schemas/export.schema.json), as the ledger or the API gave it.

    Returns:
        HTML; the words are those of `luvalla consent show`, `uses` and `rights`. Openings and receipts stay in the file.
    """
    return "".join(f"{line}\n" for line in _html(document))


def _html(document: Mapping[str, Any]) -> Iterator[str]:
    content = document["content"]
    language = content["language"]
    title = export_words.title(content["right"], language)
    yield "<!doctype html>"
    yield f'<html lang="{escape(language)}">'
    yield '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
    yield f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
    yield f"<body><main><h1>{escape(title)}</h1>"
    yield f"<p>{escape(content['origin'])}, {escape(_when(content['as_of']['at']))}</p>"
    if "states" in content:
        yield from _part("states", language, _blocks(lines.consents(content["states"], language)))
    yield from _part("consents", language, (_consent(each, language) for each in content["consents"]))
    rights = {
        "rights": [{"answer": "recorded", "reason": None, **each} for each in content["rights"]],
        "standing": [],
    }
    yield from _part(
        "rights", language, _blocks(right_answers.lines(rights, language)) if rights["rights"] else ()
    )
    if "uses" in content:
        newest_first = sorted(content["uses"], key=lambda each: each["index"], reverse=True)
        yield from _part("uses", language, (_use(each, language) for each in newest_first))
    if "retention" in content:
        kept = (f"<p>{escape(each['until_words'])}</p>" for each in content["retention"])
        yield from _part("retention", language, kept)
    if "information" in content:
        told = content["information"]
        sentences = (told["rights"], told["complaint"], told["source"], *told["not_proved"])
        yield from _part("information", language, (f"<p>{escape(each)}</p>" for each in sentences))
    whole = export_words.heading("whole", language)
    yield f"<p>{escape(whole)} <code>{escape(document['record']['digest'])}</code></p>"
    yield "</main></body></html>"


def _part(name: str, language: str, blocks: Iterable[str]) -> Iterator[str]:
    yield f"<section><h2>{escape(export_words.heading(name, language))}</h2>"
    written = list(blocks)
    yield from written or [f"<p>{escape(export_words.heading('nothing', language))}</p>"]
    yield "</section>"


def _blocks(told: Iterable[str]) -> Iterator[str]:
    """Lines for a terminal as paragraphs: one that is not indented begins a block, `label: text` is a pair."""
    block: list[str] = []
    for line in told:
        if not line.startswith(_INDENT) and block:
            yield _block(block)
            block = []
        block.append(line)
    if block:
        yield _block(block)


def _block(told: list[str]) -> str:
    head, *rest = told
    pairs = []
    for line in rest:
        label, colon, text = line.strip().partition(": ")
        pairs.append(
            f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>"
            if colon
            else f"<dt></dt><dd>{escape(label)}</dd>"
        )
    return f"<h3>{escape(head)}</h3>" + (f"<dl>{''.join(pairs)}</dl>" if pairs else "")


def _consent(each: Mapping[str, Any], language: str) -> str:
    facts = [
        (export_words.heading("given-by", language), words.given_by(each["given_by"], language)),
        (export_words.heading("method", language), each["method"]),
    ]
    if each["representation"] is not None:
        facts.append(("", each["representation"]["authority"]))
    rows = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in facts)
    notice = each["notice"]
    named = f"{export_words.heading('notice', language)} {notice['version']}"
    return (
        f"<h3>{escape(_when(each['at']))}: {escape(each['status_words'])}, {escape(each['title'])}</h3><dl>{rows}</dl>"
        f'<p>{escape(named)}</p><div class="notice" lang="{escape(each["language"])}">{escape(notice["text"])}</div>'
    )


def _use(each: Mapping[str, Any], language: str) -> str:
    reasons = [] if each["why"] is None else [reason["sentence"] for reason in each["why"]["table"]]
    why = f"<p>{escape(export_words.heading('why', language))}</p>" if reasons else ""
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    kept = f"<p>{escape(words.pick(value_words.AS_KEPT, language))}</p>" if reasons else ""
    return (
        "".join(_blocks((*lines.use(each, language), *_kept(each, language))))
        + why
        + (f"<ul>{listed}</ul>{kept}" if listed else "")
    )


def _kept(each: Mapping[str, Any], language: str) -> Iterator[str]:
    if (until := each["values_until"]) is not None:
        yield f"{_INDENT}{export_words.heading('values-until', language)}: {_when(until)}"


def _when(time: str) -> str:
    return f"{time[:10]} {time[11:16]} UTC"
