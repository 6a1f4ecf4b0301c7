"""Plain sentences in Finnish, Swedish and English for what the ledger knows of a person.

The rule of the house: no sentence says what somebody *is* ("at risk"); each says what was *done*, and what
one can do about it. The codes are those of docs/spec/ledger-v1.md; the sentences may be bettered any day.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from consent.left_out_words import LEFT_OUT
from consent.standing_words import NO_STANDING
from consent.vocabulary import ConsentStatus, UseStatus

if TYPE_CHECKING:
    from consent.records import TransitionRefused

LANGUAGES: Final = ("fi", "sv", "en")
Texts = Mapping[str, str]


def pick(texts: Texts, language: str) -> str:
    """Choose the text of a language, or the nearest one there is.

    Args:
        texts: Text by language.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        The wanted text, else English, else Finnish, else any; an empty string when there is none.
    """
    for wanted in (language, "en", "fi", *texts):
        if texts.get(wanted):
            return texts[wanted]
    return ""


def language_of_environment(environment: Mapping[str, str] | None = None) -> str:
    """Read the user's language from LC_ALL, LC_MESSAGES or LANG, in POSIX's order; English when it says neither.

    Args:
        environment: The variables, by default the process's own.

    Returns:
        ``fi``, ``sv`` or ``en``.
    """
    variables = os.environ if environment is None else environment
    named = next((variables[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if variables.get(name)), "")
    return named[:2] if named[:2] in LANGUAGES else "en"


STATUS: Final[Mapping[str, Texts]] = {
    "unknown": {"fi": "Ei kirjattua vastausta", "sv": "Inget svar registrerat", "en": "No answer on record"},
    "requested": {
        "fi": "Kysytty, ei vielä vastausta",
        "sv": "Tillfrågad, inget svar än",
        "en": "Asked, not answered yet",
    },
    "given": {"fi": "Suostumus annettu", "sv": "Samtycke givet", "en": "Consent given"},
    "renewed": {"fi": "Suostumus uusittu", "sv": "Samtycke förnyat", "en": "Consent renewed"},
    "refused": {"fi": "Kieltäydytty", "sv": "Samtycke nekat", "en": "Consent refused"},
    "withdrawn": {"fi": "Suostumus peruttu", "sv": "Samtycke återkallat", "en": "Consent withdrawn"},
    "expired": {
        "fi": "Suostumuksen voimassaolo on päättynyt",
        "sv": "Samtyckets giltighetstid har gått ut",
        "en": "Consent has run out",
    },
    "revoked": {
        "fi": "Rekisterinpitäjä on lopettanut suostumuksen",
        "sv": "Den personuppgiftsansvarige har upphävt samtycket",
        "en": "Consent ended by the controller",
    },
    "invalidated": {
        "fi": "Suostumus on todettu pätemättömäksi",
        "sv": "Samtycket har konstaterats vara ogiltigt",
        "en": "Consent found not valid",
    },
}

# What happened to this person in a run, by the status byte of the use tree (ledger-v1).
RESULT: Final[Mapping[UseStatus, Texts]] = {
    UseStatus.NOT_IN_RUN: {
        "fi": "Tietojasi ei käytetty tällä kerralla",
        "sv": "Dina uppgifter användes inte den här gången",
        "en": "Your data was not used this time",
    },
    UseStatus.USED: {
        "fi": "Tietojasi käytettiin; palvelua ei ehdotettu tällä kertaa",
        "sv": "Dina uppgifter användes; tjänsten föreslogs inte den här gången",
        "en": "Your data was used; the service was not proposed this time",
    },
    UseStatus.SELECTED: {
        "fi": "Tietojasi käytettiin; palvelua ehdotettiin sinulle",
        "sv": "Dina uppgifter användes; tjänsten föreslogs dig",
        "en": "Your data was used; the service was proposed for you",
    },
    UseStatus.SAMPLED: {
        "fi": "Tietojasi käytettiin; palvelua ei ehdotettu, ja ihminen tarkistaa tuloksen (satunnaisotos)",
        "sv": "Dina uppgifter användes; tjänsten föreslogs inte, och en människa granskar resultatet (slumpurval)",
        "en": "Your data was used; the service was not proposed, and a person reviews that (drawn at random)",
    },
    **LEFT_OUT,
}
# In training and audit nobody is offered anything: USED means used, and no more.
_USED_ONLY: Final[Texts] = {
    "fi": "Tietojasi käytettiin",
    "sv": "Dina uppgifter användes",
    "en": "Your data was used",
}

PROCESSING: Final[Mapping[str, Texts]] = {
    "training": {"fi": "Mallin opettaminen", "sv": "Träning av en modell", "en": "Training a model"},
    "audit": {"fi": "Mallin tarkastaminen", "sv": "Granskning av en modell", "en": "Auditing a model"},
    "scoring": {
        "fi": "Ehdotus siitä, kenelle palvelua tarjotaan",
        "sv": "Förslag om vem tjänsten erbjuds",
        "en": "Proposing whom to offer the service",
    },
    "human-review": {
        "fi": "Ihmisen tekemä tarkistus",
        "sv": "Granskning utförd av en människa",
        "en": "Review by a person",
    },
}

GIVEN_BY: Final[Mapping[str, Texts]] = {
    "data-subject": {"fi": "henkilö itse", "sv": "personen själv", "en": "the person themselves"},
    "guardian": {"fi": "huoltaja", "sv": "vårdnadshavare", "en": "a guardian"},
    "authorised-representative": {
        "fi": "valtuutettu edustaja",
        "sv": "befullmäktigat ombud",
        "en": "an authorised representative",
    },
    "staff-assisted": {
        "fi": "henkilö työntekijän avustamana",
        "sv": "personen med hjälp av personalen",
        "en": "the person, helped by staff",
    },
}

# Why an answer cannot follow the present state; the ledger's own reason is in English, and more exact for programs.
_CANNOT_FOLLOW: Final[Mapping[tuple[str, str], Texts]] = {
    ("in-force", "given"): {
        "fi": "suostumus on jo voimassa; sitä voi jatkaa (--renew) tai sen voi perua",
        "sv": "samtycket gäller redan; det kan förnyas (--renew) eller återkallas",
        "en": "consent is already in force; renew it (--renew) or withdraw it",
    },
    ("in-force", "refused"): {
        "fi": "suostumus on voimassa: kirjaa sen peruminen, ei kieltäytymistä",
        "sv": "samtycket gäller: registrera att det återkallas, inte att det nekas",
        "en": "consent is in force: record its withdrawal, not a refusal",
    },
    ("withdrawn", "withdrawn"): {
        "fi": "suostumus on jo peruttu",
        "sv": "samtycket är redan återkallat",
        "en": "the consent is withdrawn already",
    },
    ("withdrawn", "renewed"): {
        "fi": "peruttua suostumusta ei voi jatkaa; sen voi antaa uudelleen",
        "sv": "ett återkallat samtycke kan inte förnyas; det kan ges på nytt",
        "en": "a withdrawn consent cannot be renewed; it can be given anew",
    },
    ("other", "withdrawn"): {
        "fi": "suostumusta, jonka voisi perua, ei ole",
        "sv": "det finns inget samtycke att återkalla",
        "en": "there is no consent to withdraw",
    },
    ("other", "renewed"): {
        "fi": "suostumusta, jota voisi jatkaa, ei ole",
        "sv": "det finns inget samtycke att förnya",
        "en": "there is no consent to renew",
    },
}

_ARTICLES: Final[Mapping[str, Texts]] = {
    "A6-1-a": {"fi": "suostumus", "sv": "samtycke", "en": "consent"},
    "A6-1-b": {"fi": "sopimus", "sv": "avtal", "en": "a contract"},
    "A6-1-c": {"fi": "lakisääteinen velvoite", "sv": "rättslig förpliktelse", "en": "a legal obligation"},
    "A6-1-d": {"fi": "elintärkeä etu", "sv": "grundläggande intressen", "en": "vital interests"},
    "A6-1-e": {
        "fi": "yleistä etua koskeva tehtävä tai julkinen valta",
        "sv": "uppgift av allmänt intresse eller myndighetsutövning",
        "en": "a task in the public interest or official authority",
    },
    "A6-1-f": {"fi": "oikeutettu etu", "sv": "berättigat intresse", "en": "legitimate interests"},
    "A9-2-a": {"fi": "nimenomainen suostumus", "sv": "uttryckligt samtycke", "en": "explicit consent"},
    "A9-2-g": {
        "fi": "tärkeä yleinen etu",
        "sv": "viktigt allmänt intresse",
        "en": "substantial public interest",
    },
    "A9-2-h": {
        "fi": "terveydenhuolto ja sosiaalipalvelut",
        "sv": "hälso- och sjukvård och social omsorg",
        "en": "health or social care",
    },
    "A9-2-i": {"fi": "kansanterveys", "sv": "folkhälsa", "en": "public health"},
    "A9-2-j": {
        "fi": "tutkimus ja tilastointi",
        "sv": "forskning och statistik",
        "en": "research and statistics",
    },
}
_ARTICLE_NAME: Final[Texts] = {
    "fi": "tietosuoja-asetuksen {article} artiklan {paragraph} kohdan {letter} alakohta",
    "sv": "artikel {article}.{paragraph} {letter} i dataskyddsförordningen",
    "en": "GDPR Article {article}({paragraph})({letter})",
}

HUMAN_DECIDES: Final[Texts] = {
    "fi": "Oppiva malli vain ehdottaa. Ihminen päättää, ja tavallinen palvelu on sinulle aina auki.",
    "sv": "En inlärd modell föreslår endast. En människa beslutar, och den vanliga tjänsten är alltid öppen för dig.",
    "en": "A learned model only proposes. A person decides, and the ordinary service is always open to you.",
}
CONTEST: Final[Texts] = {
    "fi": "Voit pyytää ihmistä katsomaan tulosta uudelleen, kertoa oman näkemyksesi, oikaista tietosi tai perua "
    "suostumuksesi. Ota yhteyttä: {controller}. Voit myös kannella tietosuojavaltuutetulle.",
    "sv": "Du kan be en människa se på resultatet på nytt, framföra din åsikt, rätta dina uppgifter eller återkalla "
    "ditt samtycke. Kontakta: {controller}. Du kan också klaga hos dataombudsmannen.",
    "en": "You can ask a person to look at this again, give your own view, have your data corrected or withdraw "
    "your consent. Contact: {controller}. You can also complain to the Data Protection Ombudsman.",
}

# What no receipt and no ledger can show (docs/threat-model.md): said wherever a use is listed.
NOT_PROVED: Final[Mapping[str, Texts]] = {
    "unlogged": {
        "fi": "Mikään kirjanpito ei näytä käyttöä, jota ei kirjattu.",
        "sv": "Ingen bokföring kan visa en användning som inte registrerades.",
        "en": "No ledger can show a use that was not recorded.",
    },
    "one-number": {
        "fi": "Ei todisteta, että henkilöllä on vain yksi numero.",
        "sv": "Det bevisas inte att en person har bara ett nummer.",
        "en": "It is not proved that a person has only one number.",
    },
    "no-witness": {
        "fi": "Mikään todistaja ei ole vahvistanut lokia: allekirjoitusavaimen haltija voisi kirjoittaa historian "
        "uudelleen.",
        "sv": "Inget vittne har medsignerat loggen: den som har signaturnyckeln kunde skriva om historien.",
        "en": "No witness has co-signed the log: whoever holds the signing key could rewrite history.",
    },
}
# Instead of "no-witness", where witnesses have cosigned.
WITNESSED: Final[Texts] = {
    "fi": "Lokin vahvistaneet todistajat: {names}. Historian voisi kirjoittaa uudelleen vain niiden avulla; mikään "
    "allekirjoitus ei näytä, ovatko ne kaupungista riippumattomia.",
    "sv": "Vittnen som har medsignerat loggen: {names}. Historien kunde skrivas om bara med deras hjälp; ingen "
    "signatur visar om de är oberoende av staden.",
    "en": "Witnesses that co-signed the log: {names}. History could be rewritten only with their help; no signature "
    "shows whether they are independent of the city.",
}


def status(code: ConsentStatus, language: str) -> str:
    """Say a consent's status."""
    return pick(STATUS[code.value], language)


def cannot_follow(refused: TransitionRefused, language: str) -> str:
    """Say why an answer cannot follow the present state; where there is no sentence of ours, in the ledger's words."""
    if refused.code in NO_STANDING:
        return pick(NO_STANDING[refused.code], language)
    states = ("in-force",) if refused.current.permits else (refused.current.value, "other")
    for state in states:
        if texts := _CANNOT_FOLLOW.get((state, refused.asked.value)):
            return pick(texts, language)
    return refused.reason


def result(code: UseStatus, processing: str, language: str) -> str:
    """Say what happened to a person in a run.

    Args:
        code: The person's status in the run.
        processing: ``training``, ``audit``, ``scoring`` or ``human-review``.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        One sentence, without a full stop.
    """
    if code is UseStatus.USED and processing in ("training", "audit"):
        return pick(_USED_ONLY, language)
    return pick(RESULT[code], language)


def processing(code: str, language: str) -> str:
    """Say what kind of processing a run was; of an unknown kind, its code."""
    return pick(PROCESSING[code], language) if code in PROCESSING else code


def given_by(code: str, language: str) -> str:
    """Say who answered; of an unknown kind, its code."""
    return pick(GIVEN_BY[code], language) if code in GIVEN_BY else code


def legal_basis(term: str, language: str) -> str:
    """Say a legal basis with its article.

    Args:
        term: A DPV term such as ``eu-gdpr:A6-1-e`` or ``eu-gdpr:A6-1-e-official-authority``.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        Plain words and the article; of a term not of that form, the term.
    """
    match = re.match(r"eu-gdpr:(A(\d+)-(\d+)-([a-z]))(?:-|$)", term)
    if match is None:
        return term
    key, article, paragraph, letter = match.groups()
    name = pick(_ARTICLE_NAME, language).format(article=article, paragraph=paragraph, letter=letter)
    return f"{pick(_ARTICLES[key], language)} ({name})" if key in _ARTICLES else name


def contest(controller: str, language: str) -> str:
    """Say how to contest a result, and with whom.

    Args:
        controller: The purpose's controller, with its contact where the purpose names one.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        Two or three sentences.
    """
    return pick(CONTEST, language).format(controller=controller)


def not_proved(language: str, witnesses: Sequence[str]) -> list[str]:
    """What no receipt and no list of uses can show, one sentence each; with the names of the witnesses that cosigned."""
    told = {code: pick(texts, language) for code, texts in NOT_PROVED.items()}
    if witnesses:
        told["no-witness"] = pick(WITNESSED, language).format(names=", ".join(witnesses))
    return list(told.values())
