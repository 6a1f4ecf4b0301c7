"""What the API says when it cannot do as asked: RFC 9457 problem details, in the reader's language.

Nothing of a request, of a person or of an error's own text stands in one: only the sentences below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi.responses import JSONResponse

from consent import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:luvalla:problem:"


@dataclass(frozen=True)
class Kind:
    """One kind of problem.

    Attributes:
        code: Its last word in ``type``, stable.
        status: HTTP status.
        title: Short, the same for every occurrence; per language.
        detail: What to do; per language.
    """

    code: str
    status: int
    title: words.Texts
    detail: words.Texts


def _kind(code: str, status: int, title: tuple[str, str, str], detail: tuple[str, str, str]) -> Kind:
    return Kind(
        code,
        status,
        dict(zip(words.LANGUAGES, title, strict=True)),
        dict(zip(words.LANGUAGES, detail, strict=True)),
    )


TOKEN_MISSING = _kind(
    "token-missing",
    401,
    ("Kirjautuminen puuttuu", "Inloggning saknas", "Not logged in"),
    (
        "Lähetä tunnistautumisesi otsakkeessa Authorization: Bearer.",
        "Skicka din inloggning i rubriken Authorization: Bearer.",
        "Send your token in the header Authorization: Bearer.",
    ),
)
TOKEN_REFUSED = _kind(
    "token-refused",
    401,
    ("Kirjautuminen ei kelpaa", "Inloggningen gäller inte", "The login does not hold"),
    (
        "Kirjautuminen on vanhentunut tai tarkoitettu muulle palvelulle. Kirjaudu uudelleen.",
        "Inloggningen har gått ut eller är avsedd för en annan tjänst. Logga in på nytt.",
        "It has run out, or is meant for another service. Log in again.",
    ),
)
NOT_FOUND = _kind(
    "not-found",
    404,
    ("Ei löydy", "Finns inte", "Not found"),
    (
        "Osoitteessa ei ole mitään sinua koskevaa.",
        "På adressen finns inget som gäller dig.",
        "There is nothing about you at this address.",
    ),
)
UNKNOWN_PURPOSE = _kind(
    "unknown-purpose",
    404,
    ("Tuntematon käyttötarkoitus", "Okänt ändamål", "Unknown purpose"),
    (
        "Katso käyttötarkoitukset osoitteesta /v1/purposes.",
        "Se ändamålen på /v1/purposes.",
        "See the purposes at /v1/purposes.",
    ),
)
UNKNOWN_RUN = _kind(
    "unknown-run",
    404,
    ("Tuntematon ajo", "Okänd körning", "Unknown run"),
    (
        "Sellaista ajoa ei ole, tai se ei koskenut sinua. Katso /v1/me/uses.",
        "Körningen finns inte, eller så gällde den inte dig. Se /v1/me/uses.",
        "There is no such run, or it did not concern you. See /v1/me/uses.",
    ),
)
RUN_LOST = _kind(
    "run-lost",
    410,
    ("Ajon tiedot ovat kadonneet", "Körningens uppgifter är förlorade", "What the run used is lost"),
    (
        "Ajo on kirjattu, mutta tieto siitä, keitä se koski, on kadonnut. Kukaan ei voi sanoa, käytettiinkö tietojasi.",
        "Körningen är registrerad, men uppgiften om vilka den gällde är förlorad. Ingen kan säga om den använde dina uppgifter.",
        "The run is on record, but whom it was about is lost. Nobody can say whether it used your data.",
    ),
)
NOTHING_ON_RECORD = _kind(
    "nothing-on-record",
    404,
    ("Ei kirjauksia", "Inget registrerat", "Nothing on record"),
    (
        "Sinusta ei ole kirjattu mitään, mistä kuitti tai kopio voitaisiin antaa.",
        "Inget har registrerats om dig som det kunde ges ett kvitto på eller en kopia av.",
        "Nothing is on record about you that a receipt or a copy could be given of.",
    ),
)
METHOD_NOT_ALLOWED = _kind(
    "method-not-allowed",
    405,
    ("Toiminto ei käy", "Metoden går inte", "Method not allowed"),
    (
        "Osoite on olemassa, mutta ei tällä toiminnolla.",
        "Adressen finns, men inte med denna metod.",
        "The address exists, but not with this method.",
    ),
)
NOT_RECORDED = _kind(
    "not-recorded",
    409,
    ("Ei kirjattu", "Inte registrerat", "Not recorded"),
    (
        "Vastaus ei voi seurata nykyistä tilaa: {state}.",
        "Svaret kan inte följa på det nuvarande läget: {state}.",
        "The answer cannot follow the present state: {state}.",
    ),
)
NOTICE_CHANGED = _kind(
    "notice-changed",
    409,
    ("Tiedote on muuttunut", "Informationen har ändrats", "The notice has changed"),
    (
        "Lukemasi tiedote ei ole enää voimassa. Lue uusi ja vastaa siihen; mitään ei kirjattu.",
        "Informationen du läste gäller inte längre. Läs den nya och svara på den; inget registrerades.",
        "The notice you read is no longer in force. Read the new one and answer it; nothing was recorded.",
    ),
)
REQUEST_CONFLICT = _kind(
    "request-conflict",
    409,
    ("Sama avain, eri pyyntö", "Samma nyckel, annan begäran", "Same key, another request"),
    (
        "Tätä Idempotency-Key-avainta on jo käytetty toiseen vastaukseen.",
        "Denna Idempotency-Key har redan använts för ett annat svar.",
        "This Idempotency-Key was already used for another answer.",
    ),
)
TOO_LARGE = _kind(
    "too-large",
    413,
    ("Liian suuri pyyntö", "För stor begäran", "The request is too large"),
    ("Pyyntö saa olla enintään 16 kt.", "Begäran får vara högst 16 kB.", "A request may be at most 16 kB."),
)
INVALID = _kind(
    "invalid",
    422,
    ("Virheellinen pyyntö", "Felaktig begäran", "The request is not valid"),
    (
        "Kohdassa errors sanotaan, mitä odotettiin ja missä.",
        "I errors står vad som väntades och var.",
        "What was expected, and where, stands in errors.",
    ),
)
FAULT = _kind(
    "fault",
    500,
    ("Vika palvelussa", "Fel i tjänsten", "A fault of the service"),
    (
        "Vika on meillä. Yritä myöhemmin uudelleen; mitään ei näytetty eikä kirjattu puolittain.",
        "Felet är vårt. Försök igen senare; inget visades eller registrerades till hälften.",
        "The fault is ours. Try again later; nothing was shown or recorded by half.",
    ),
)
EVIDENCE = _kind(
    "evidence",
    500,
    ("Kirjanpito ei todenna itseään", "Bokföringen bevisar inte sig själv", "The ledger does not verify"),
    (
        "Kirjanpidossa on jotain, mikä ei täsmää. Ylläpidon on tarkistettava se ennen kuin mitään näytetään.",
        "Något i bokföringen stämmer inte. Den måste kontrolleras innan något visas.",
        "Something in the ledger does not agree. It must be checked before anything is shown.",
    ),
)
UNAVAILABLE = _kind(
    "unavailable",
    503,
    ("Ei juuri nyt saatavilla", "Inte tillgänglig just nu", "Not available just now"),
    (
        "Kirjanpito tai kirjautumispalvelu ei vastaa. Yritä hetken kuluttua uudelleen.",
        "Bokföringen eller inloggningstjänsten svarar inte. Försök igen om en stund.",
        "The ledger or the login service does not answer. Try again in a moment.",
    ),
)


class ProblemError(Exception):
    """Raised inside a request; answered as problem details.

    Args:
        kind: Which problem.
        headers: Further response headers.
        state: The status words for ``NOT_RECORDED``, by language.
    """

    def __init__(
        self, kind: Kind, *, headers: Mapping[str, str] | None = None, state: words.Texts | None = None
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.headers = headers
        self.state = state


def respond(
    kind: Kind,
    language: str,
    *,
    headers: Mapping[str, str] | None = None,
    state: words.Texts | None = None,
    errors: Sequence[Mapping[str, Any]] | None = None,
) -> JSONResponse:
    """Write problem details.

    Args:
        kind: Which problem.
        language: ``fi``, ``sv`` or ``en``.
        headers: Further response headers.
        state: The status words for ``NOT_RECORDED``, by language.
        errors: For ``INVALID``: where and what, never the value.

    Returns:
        The response.
    """
    detail = words.pick(kind.detail, language)
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + kind.code,
        "title": words.pick(kind.title, language),
        "status": kind.status,
        "detail": detail.format(state=words.pick(state, language)) if state is not None else detail,
    }
    if errors is not None:
        body["errors"] = list(errors)
    return JSONResponse(
        body,
        status_code=kind.status,
        media_type=MEDIA_TYPE,
        headers={"Content-Language": language, **(headers or {})},
    )
