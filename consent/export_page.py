"""An export as a page that a person can read (GDPR 12(1)); it stands alone, fetches nothing and runs nothing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from consent import export_words, lines, method_words, right_words, value_words, words
from consent.receipt_page import POLICY, STYLE
from consent.receipt_words import day, moment, say
from consent.words import pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Fact = tuple[str, str]


def page(document: Mapping[str, Any]) -> str:
    """An export as one HTML file, in the export's own language.

    Args:
        document: The export (docs/schemas/export.schema.json), as the ledger or the API gave it.

    Returns:
        HTML in plain words. Openings, receipts, and the ids and digests that only a program needs stay in the file.
    """
    return "".join(f"{line}\n" for line in _html(document))


def _html(document: Mapping[str, Any]) -> Iterator[str]:
    content = document["content"]
    language = content["language"]
    title = export_words.title(content["right"], language)
    titles = _titles(content, language)
    yield "<!doctype html>"
    yield f'<html lang="{escape(language)}">'
    yield '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
    yield f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
    yield f"<body><main><h1>{escape(title)}</h1>"
    yield f"<p>{escape(moment(content['as_of']['at'], language))}</p>"
    if "states" in content:
        yield from _part("states", language, (_state(each, language) for each in content["states"]))
    yield from _part("consents", language, (_consent(each, language) for each in content["consents"]))
    yield from _part("rights", language, (_right(each, titles, language) for each in content["rights"]))
    if "uses" in content:
        newest_first = sorted(content["uses"], key=lambda each: each["index"], reverse=True)
        yield from _part("uses", language, (_use(each, language) for each in newest_first))
    if "retention" in content:
        yield from _part("retention", language, _told(each["until_words"] for each in content["retention"]))
    if "information" in content:
        told = content["information"]
        yield from _part("information", language, _told((told["rights"], told["complaint"], told["source"])))
        yield from _part("not-shown", language, _told(told["not_proved"]))
    whole = export_words.heading("whole", language)
    yield f"<p>{escape(whole)} <code>{escape(document['record']['digest'])}</code></p>"
    # By it an erasure recognises whose page this is (consent/house_files.py).
    code = export_words.heading("subject", language)
    yield f"<p>{escape(code)} <code>{escape(content['person']['subject'])}</code></p>"
    yield "</main></body></html>"


def _titles(content: Mapping[str, Any], language: str) -> dict[str, str]:
    """The title of each purpose that the export knows, by id; of several versions the newest."""
    answered = {each["purpose"]: each["title"] for each in content["consents"]}
    whole = sorted(content.get("purposes", ()), key=lambda each: each["version"])
    return answered | {each["id"]: pick(each["title"], language) for each in whole}


def _part(name: str, language: str, blocks: Iterable[str]) -> Iterator[str]:
    yield f"<section><h2>{escape(export_words.heading(name, language))}</h2>"
    written = list(blocks)
    yield from written or [f"<p>{escape(export_words.heading('nothing', language))}</p>"]
    yield "</section>"


def _told(sentences: Iterable[str]) -> Iterator[str]:
    return (f"<p>{escape(each)}</p>" for each in sentences)


def _block(heading: str, facts: Sequence[Fact]) -> str:
    rows = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in facts)
    return f"<h3>{escape(heading)}</h3>" + (f"<dl>{rows}</dl>" if rows else "")


def _state(each: Mapping[str, Any], language: str) -> str:
    facts = [(say("answer", language), each["status_words"])]
    if each["since"]:
        facts.append((say("when", language), moment(each["since"], language)))
    if each["expires"]:
        facts.append((say("until", language), moment(each["expires"], language)))
    facts.append((lines.label("if-no", language), each["effects_of_no"]))
    old = each["since"] and not each["current_version"]
    return _block(each["title"], facts) + "".join(
        _told((lines.label("old-version", language).capitalize() + ".",)) if old else ()
    )


def _consent(each: Mapping[str, Any], language: str) -> str:
    facts = [
        (say("answer", language), each["status_words"]),
        (say("who", language), words.given_by(each["given_by"], language)),
        (say("how", language), method_words.method(each["method"], language)),
    ]
    if each["representation"] is not None:
        by_what = ", ".join(str(part) for part in each["representation"].values() if part)
        facts.append((say("representation", language), by_what))
    if each["own_say"] is not None:
        facts.append((say("own-say", language), say(each["own_say"], language)))
    if each["signed_on"] is not None:
        facts.append((say("signed-on", language), day(f"{each['signed_on']}T00:00:00Z", language)))
    notice = each["notice"]
    named = export_words.heading("notice", language)
    version = f"{named}, {lines.label('version', language)} {notice['version']}"
    return (
        _block(f"{moment(each['at'], language)}: {each['title']}", facts)
        + f'<p>{escape(version)}</p><div class="notice" lang="{escape(each["language"])}">{escape(notice["text"])}</div>'
    )


def _right(each: Mapping[str, Any], titles: Mapping[str, str], language: str) -> str:
    scope = right_words.scope(each["purposes"], each["processing"], each["categories"], language, titles)
    facts = [(say("about", language), "; ".join(scope))] if scope else []
    if "answer" in each:  # in what is moved elsewhere stands only what the person said
        facts.append((say("answer", language), right_words.answer(each["answer"], language)))
    if each.get("reason"):
        facts.append((export_words.heading("reason", language), each["reason"]))
    return _block(f"{moment(each['at'], language)}: {each['right_words']}", facts)


def _use(each: Mapping[str, Any], language: str) -> str:
    facts = [
        (say("result", language), each["result_words"]),
        (say("purpose", language), each["title"]),
        (say("controller", language), each["controller"]),
        (lines.label("basis", language), each["legal_basis_words"]),
    ]
    if model := each["model"]:
        named = f"{model['name']}, {lines.label('version', language)} {model['version']}"
        facts.append((say("model", language), named))
    if (until := each["values_until"]) is not None:
        facts.append((export_words.heading("values-until", language), moment(until, language)))
    facts.append((say("run-id", language), each["run"]))
    reasons = [] if each["why"] is None else [reason["sentence"] for reason in each["why"]["table"]]
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    why = (export_words.heading("why", language), pick(value_words.AS_KEPT, language))
    told = f"<p>{escape(why[0])}</p><ul>{listed}</ul><p>{escape(why[1])}</p>" if reasons else ""
    return _block(f"{moment(each['at'], language)}: {each['processing_words']}", facts) + told
