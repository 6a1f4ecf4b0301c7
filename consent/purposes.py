"""Purposes and their notices as governed data: parse the TOML text, and the documents whose digests the log binds."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import Any

from consent.canonical import digest, encode
from consent.errors import PurposesError
from consent.records import ConsentNotice, Purpose
from consent.vocabulary import LEGAL_BASES, Language, Processing

_ID = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*", re.ASCII)
_CATEGORY = re.compile(r"[a-z][a-z0-9-]*:[A-Za-z][A-Za-z0-9-]*", re.ASCII)
_MAX_DAYS = 36_525
_SHOWN = 60
_LANGUAGES = tuple(language.value for language in Language)
_KEYS = frozenset(
    {
        "id",
        "version",
        "title",
        "description",
        "service",
        "legal_basis",
        "processing",
        "categories",
        "retention_days",
        "consent_days",
        "controller",
        "recipients",
        "effects_of_no",
        "notice",
    }
)
_OPTIONAL_TEXTS = ("address", "contact", "data_protection_officer", "email", "phone", "website")
_OPTIONAL_LISTS = ("data_subjects", "security_measures", "storage_locations", "transfers")
OPTIONAL = frozenset({*_OPTIONAL_TEXTS, *_OPTIONAL_LISTS})
"""Keys of GDPR 30(1) and of receipts (ISO/IEC TS 27560) that older documents lack: absent, they are in no document and change no digest."""
_NOTICE_KEYS = frozenset({"id", "version", "text"})


def parse(text: str) -> tuple[Purpose, ...]:
    """The purposes of a purposes file.

    Args:
        text: TOML: an array of tables `[[purpose]]` with the keys of `Purpose`; texts are tables per language; the
            notice is `[purpose.notice]` with `id`, `version` and the table `text` per language.

    Returns:
        In the order of the file; ids with their versions are unique, and at least one.

    Raises:
        PurposesError: Anything is missing, unknown, of another type or out of range; says where and what was expected.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PurposesError(f"the purposes are not TOML: {error}", "correct the file") from error
    tables = document.pop("purpose", None)
    if document:
        raise PurposesError(
            f"unknown table `{next(iter(document))}` beside [[purpose]]",
            "each purpose is a table [[purpose]]",
        )
    if not isinstance(tables, list) or not tables:
        raise PurposesError(
            "there is no [[purpose]]", "a ledger needs at least one purpose to ask consent for"
        )
    purposes = tuple(_purpose(table, position) for position, table in enumerate(tables, 1))
    seen: set[tuple[str, int]] = set()
    notices: dict[tuple[str, int], tuple[str, ConsentNotice]] = {}
    for purpose in purposes:
        if (purpose.id, purpose.version) in seen:
            raise PurposesError(
                f"purpose `{purpose.id}` version {purpose.version} is there twice", "give each version once"
            )
        seen.add((purpose.id, purpose.version))
        key = (purpose.notice.id, purpose.notice.version)
        other = notices.setdefault(key, (purpose.id, purpose.notice))
        if other[1] != purpose.notice:
            raise PurposesError(
                f"notice `{key[0]}` version {key[1]} is there with two texts",
                "give a changed text a new version",
            )
    return purposes


def document(purpose: Purpose) -> dict[str, Any]:
    """The purpose as a JSON document; the log binds the digest of its RFC 8785 bytes."""
    return {
        "categories": list(purpose.categories),
        "consent_days": purpose.consent_days,
        "controller": purpose.controller,
        "description": dict(purpose.description),
        "effects_of_no": dict(purpose.effects_of_no),
        "id": purpose.id,
        "legal_basis": purpose.legal_basis,
        "notice": {
            "id": purpose.notice.id,
            "languages": notice_digests(purpose.notice),
            "version": purpose.notice.version,
        },
        "processing": list(purpose.processing),
        "recipients": list(purpose.recipients),
        "retention_days": purpose.retention_days,
        "service": purpose.service,
        "title": dict(purpose.title),
        "version": purpose.version,
        **{key: list(value) if isinstance(value, tuple) else value for key, value in stated(purpose).items()},
    }


def stated(purpose: Purpose) -> dict[str, Any]:
    """Which of the optional keys the purpose states."""
    return {key: value for key in sorted(OPTIONAL) if (value := getattr(purpose, key))}


def encoded(purpose: Purpose) -> bytes:
    """The bytes of the purpose's document."""
    return encode(document(purpose))


def from_document(value: dict[str, Any], texts: dict[str, str]) -> Purpose:
    """The purpose again.

    Args:
        value: What `document` made.
        texts: Texts of its notice, per language.
    """
    fields: dict[str, Any] = {key: value[key] for key in _KEYS}
    fields |= {key: value[key] for key in OPTIONAL if key in value}
    for key in ("processing", "categories", "recipients", *(key for key in _OPTIONAL_LISTS if key in value)):
        fields[key] = tuple(fields[key])
    fields["notice"] = ConsentNotice(value["notice"]["id"], value["notice"]["version"], texts)
    return Purpose(**fields)


def notice_digests(notice: ConsentNotice) -> dict[str, str]:
    """`sha256:...` of the exact UTF-8 text, per language."""
    return {language: digest(text.encode()) for language, text in sorted(notice.texts.items())}


def _purpose(table: Any, position: int) -> Purpose:
    where = f"purpose {position}"
    if not isinstance(table, dict):
        raise PurposesError(f"{where} is not a table", "write [[purpose]]")
    if isinstance(table.get("id"), str):
        where = f"purpose `{table['id'][:80]}`"
    _exact_keys(table, _KEYS, where, OPTIONAL)
    basis = _text(table, "legal_basis", where)
    if basis not in LEGAL_BASES:
        near = difflib.get_close_matches(basis, LEGAL_BASES, n=1)
        raise PurposesError(
            f"{where}: unknown legal_basis `{basis}`",
            f"did you mean `{near[0]}`?" if near else "use a term such as eu-gdpr:A6-1-e",
        )
    processing = _words(table, "processing", where, least=1)
    unknown = [word for word in processing if word not in {item.value for item in Processing}]
    if unknown:
        raise PurposesError(
            f"{where}: unknown processing `{unknown[0]}`",
            f"use {', '.join(item.value for item in Processing)}",
        )
    categories = _words(table, "categories", where, least=1)
    wrong = [word for word in categories if not _CATEGORY.fullmatch(word)]
    if wrong:
        raise PurposesError(
            f"{where}: categories are DPV terms with a prefix, one is {_got(wrong[0])}",
            "write e.g. pd:Education",
        )
    more: dict[str, Any] = {
        **{key: _text(table, key, where) for key in _OPTIONAL_TEXTS if key in table},
        **{key: _words(table, key, where, least=1) for key in _OPTIONAL_LISTS if key in table},
    }
    return Purpose(
        id=_identifier(table, where),
        version=_integer(table, "version", where, low=1),
        title=_texts(table, "title", where),
        description=_texts(table, "description", where),
        service=_text(table, "service", where),
        legal_basis=basis,
        processing=processing,
        categories=categories,
        retention_days=_integer(table, "retention_days", where, low=0),
        consent_days=_integer(table, "consent_days", where, low=1),
        controller=_text(table, "controller", where),
        recipients=_words(table, "recipients", where, least=0),
        effects_of_no=_texts(table, "effects_of_no", where),
        notice=_notice(table["notice"], where),
        **more,
    )


def _notice(table: Any, where: str) -> ConsentNotice:
    where = f"{where}, notice"
    if not isinstance(table, dict):
        raise PurposesError(f"{where}: not a table", "write [purpose.notice] with id, version and text")
    _exact_keys(table, _NOTICE_KEYS, where)
    return ConsentNotice(
        _identifier(table, where), _integer(table, "version", where, low=1), _texts(table, "text", where)
    )


def _exact_keys(
    table: dict[str, Any], expected: frozenset[str], where: str, optional: frozenset[str] = frozenset()
) -> None:
    for key in sorted(table.keys() - expected - optional):
        near = difflib.get_close_matches(key, expected | optional, n=1)
        raise PurposesError(
            f"{where}: unknown key `{key}`",
            f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(sorted(expected))}",
        )
    for key in sorted(expected - table.keys()):
        raise PurposesError(
            f"{where}: `{key}` is missing", "a purpose says everything that Art. 30 and 13 ask for"
        )


def _got(value: Any) -> str:
    """A value of the file as a message shows it."""
    said = repr(value)
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}..."


def _text(table: dict[str, Any], key: str, where: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise PurposesError(f"{where}: `{key}` must be text and not empty, it is {_got(value)}", "fill it in")
    return value


def _identifier(table: dict[str, Any], where: str) -> str:
    value = _text(table, "id", where)
    if not _ID.fullmatch(value) or len(value) > 100:  # noqa: PLR2004 - the column holds 128
        raise PurposesError(
            f"{where}: an id is lower-case words joined by dots or hyphens, at most 100 characters; it is {_got(value)}",
            "write e.g. health-benefit.offer",
        )
    return value


def _integer(table: dict[str, Any], key: str, where: str, *, low: int) -> int:
    value = table[key]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= _MAX_DAYS:
        raise PurposesError(
            f"{where}: `{key}` must be a whole number from {low} to {_MAX_DAYS}, it is {_got(value)}",
            "correct it",
        )
    return value


def _words(table: dict[str, Any], key: str, where: str, *, least: int) -> tuple[str, ...]:
    value = table[key]
    if (
        not isinstance(value, list)
        or not all(isinstance(word, str) and word for word in value)
        or len(value) < least
    ):
        raise PurposesError(
            f"{where}: `{key}` must be a list of texts, at least {least}, it is {_got(value)}", "correct it"
        )
    if len(set(value)) != len(value):
        raise PurposesError(f"{where}: `{key}` names something twice", "name it once")
    return tuple(sorted(value))


def _texts(table: dict[str, Any], key: str, where: str) -> dict[str, str]:
    value = table[key]
    if not isinstance(value, dict) or set(value) != set(_LANGUAGES):
        raise PurposesError(
            f"{where}: `{key}` must have a text in each of {', '.join(_LANGUAGES)}", "translate it"
        )
    if not all(isinstance(text, str) and text.strip() for text in value.values()):
        raise PurposesError(f"{where}: a text of `{key}` is empty", "translate it")
    return {language: value[language] for language in sorted(value)}
