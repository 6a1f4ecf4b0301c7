"""Words in Finnish, Swedish and English that an export says beside a person's records (GDPR 12(1), 15(1))."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.words import pick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.words import Texts

_KEPT: Final[Mapping[str, Texts]] = {
    "evidence": {
        "fi": "Suostumukset ja oikeuksien käyttö: kunnes pyydät niiden poistamista; poistosta voidaan pidättyä vain laissa säädetystä syystä, joka kirjataan.",
        "sv": "Samtycken och utövade rättigheter: tills du låter radera dem; endast ett lagstadgat skäl, som registreras, kan hindra det.",
        "en": "Consents and rights exercised: until you have them erased; only a ground in law, which is recorded, can stand against it.",
    },
    "detail": {
        "fi": "Tarkenteet (edustus, oma mielipide, lomakkeen päiväys, annettujen tiedostojen tiivisteet): kuten edellä, ja ne voidaan poistaa erikseen.",
        "sv": "Detaljer (företrädare, egen åsikt, blankettens datum, kontrollsummor av utlämnade filer): som ovan, och de kan raderas för sig.",
        "en": "Details (representation, own say, date on a form, digests of files given): as above, and they can be erased alone.",
    },
    "use": {
        "fi": "Tiedot käytöistä: kunnes pyydät niiden poistamista. Mallin käyttämiä arvoja säilytetään käytön kohdalla kerrottuun hetkeen.",
        "sv": "Uppgifter om användning: tills du låter radera dem. De värden som en modell använde sparas till den tid som anges vid användningen.",
        "en": "Records of uses: until you have them erased. The values that a model used are kept until the time given beside the use.",
    },
    "erasure": {
        "fi": "Tieto siitä, että ja millä perusteella jotain poistettiin: pysyvästi.",
        "sv": "Uppgift om att och på vilken grund något raderades: varaktigt.",
        "en": "The record that something was erased, and on what ground: for good.",
    },
}
RIGHTS: Final[Texts] = {
    "fi": "Voit pyytää tietojesi oikaisua, poistamista tai käsittelyn rajoittamista, vastustaa käsittelyä, siirtää antamasi tiedot "
    "toisaalle ja perua suostumuksesi milloin tahansa.",
    "sv": "Du kan begära rättelse, radering eller begränsning av behandlingen, invända mot behandlingen, flytta de uppgifter du lämnat "
    "och när som helst återkalla ditt samtycke.",
    "en": "You can ask for correction, erasure or restriction, object to the processing, move the data that you provided elsewhere, and "
    "withdraw a consent at any time.",
}
COMPLAINT: Final[Texts] = {
    "fi": "Voit valittaa tietosuojavaltuutetulle (tai asuinmaasi valvontaviranomaiselle).",
    "sv": "Du kan klaga hos dataombudsmannen (eller tillsynsmyndigheten där du bor).",
    "en": "You can complain to the Data Protection Ombudsman (or to the supervisory authority of where you live).",
}
SOURCE: Final[Texts] = {
    "fi": "Tässä on kaikki, mitä luvalla säilyttää sinusta. Rekisterit, joista mallit lukivat tietosi, ovat kaupungin: pyydä niiden tiedot kaupungilta.",
    "sv": "Här är allt som luvalla sparar om dig. De register som modellerna läste dina uppgifter ur är stadens: begär deras uppgifter av staden.",
    "en": "This is everything that luvalla keeps about you. The registers from which models read your data are the city's: ask the city for what is in them.",
}
_MADE: Final[Mapping[str, Texts]] = {
    "access": {"fi": "Kopio tiedoistasi", "sv": "En kopia av dina uppgifter", "en": "A copy of your data"},
    "portability": {
        "fi": "Antamasi tiedot siirrettäväksi",
        "sv": "De uppgifter du lämnat, för att flyttas",
        "en": "The data that you provided, to be moved",
    },
}
HEADINGS: Final[Mapping[str, Texts]] = {
    "states": {"fi": "Suostumukset nyt", "sv": "Samtycken nu", "en": "Consents now"},
    "consents": {
        "fi": "Vastaukset ja näytetyt tiedotteet",
        "sv": "Svar och visad information",
        "en": "Answers, and the notices shown",
    },
    "rights": {"fi": "Käytetyt oikeudet", "sv": "Utövade rättigheter", "en": "Rights exercised"},
    "uses": {"fi": "Tietojen käyttö", "sv": "Användning av uppgifterna", "en": "Uses of the data"},
    "retention": {
        "fi": "Kuinka kauan tietoja säilytetään",
        "sv": "Hur länge uppgifterna sparas",
        "en": "How long the data is kept",
    },
    "information": {"fi": "Mitä voit tehdä", "sv": "Vad du kan göra", "en": "What you can do"},
    "nothing": {"fi": "Ei mitään.", "sv": "Inget.", "en": "Nothing."},
    "notice": {"fi": "Tiedote", "sv": "Information", "en": "Notice"},
    "reason": {"fi": "Perustelu", "sv": "Motivering", "en": "Reason"},
    "not-shown": {
        "fi": "Mitä tämä kopio ei voi näyttää",
        "sv": "Vad den här kopian inte kan visa",
        "en": "What this copy cannot show",
    },
    "values-until": {
        "fi": "Arvojen säilytys päättyy",
        "sv": "Värdena sparas till",
        "en": "Values are kept until",
    },
    "subject": {"fi": "Tunnuksesi lokissa", "sv": "Din kod i loggen", "en": "Your code in the log"},
    "why": {"fi": "Miksi", "sv": "Varför", "en": "Why"},
    "whole": {
        "fi": "Tämä sivu on luettavaksi. Kaikki, myös todisteet, on tiedostossa, jonka sisällön tiiviste on",
        "sv": "Denna sida är till för läsning. Allt, även bevisen, finns i filen, vars innehåll har kontrollsumman",
        "en": "This page is for reading. Everything, with the proofs, is in the file whose content has the digest",
    },
}
_CHANGED: Final[Texts] = {
    "fi": "Tämä pyyntö oli jo täytetty, ja sen jälkeen jotain on poistettu: tiedosto ei ole sama kuin silloin.",
    "sv": "Denna begäran var redan besvarad, och något har raderats sedan dess: filen är inte densamma som då.",
    "en": "This request had been answered before, and something was erased since: the file is not the same as then.",
}
_RECORDED: Final[Texts] = {"fi": "kirjattu merkintään", "sv": "registrerat i post", "en": "recorded in entry"}


def heading(code: str, language: str) -> str:
    """The heading of a part of the page, or a label in it."""
    return pick(HEADINGS[code], language)


def title(right: str, language: str) -> str:
    """What an export is."""
    return pick(_MADE[right], language)


def kept(code: str, language: str) -> str:
    """Say how long a retention class is kept."""
    return pick(_KEPT[code], language)


def made(right: str, index: int, where: str, language: str) -> str:
    """Say that an export was made, where it lies, and which entry records it."""
    return f"{pick(_MADE[right], language)}: {where} ({pick(_RECORDED, language)} {index})"


def changed(language: str) -> str:
    """Say that a repeated request could not be answered with the very same bytes."""
    return pick(_CHANGED, language)
