"""The answers as lines of text for a terminal: the same for the ledger's own commands and for the citizen's client.

Takes the JSON values of ``consent.answers`` (or of the API, which are the same), never the ledger's objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from consent import value_words, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LABELS: Final[Mapping[str, words.Texts]] = {
    "since": {"fi": "{when} alkaen", "sv": "sedan {when}", "en": "since {when}"},
    "until": {"fi": "{when} asti", "sv": "till {when}", "en": "until {when}"},
    "old-version": {
        "fi": "koskee aiempaa tiedotetta: uusi käyttö vaatii uuden suostumuksen",
        "sv": "gäller en tidigare version: ny användning kräver ett nytt samtycke",
        "en": "is for an earlier version: a new use needs a new consent",
    },
    "if-no": {"fi": "Jos sanot ei", "sv": "Om du säger nej", "en": "If you say no"},
    "who": {"fi": "Kuka", "sv": "Vem", "en": "Who"},
    "for-what": {"fi": "Mihin", "sv": "För vad", "en": "For what"},
    "basis": {"fi": "Peruste", "sv": "Grund", "en": "Basis"},
    "model": {"fi": "Malli", "sv": "Modell", "en": "Model"},
    "version": {"fi": "versio", "sv": "version", "en": "version"},
    "certificate": {"fi": "sertifikaatti", "sv": "certifikat", "en": "certificate"},
    "result": {"fi": "Tulos", "sv": "Resultat", "en": "Result"},
    "run": {"fi": "Ajo", "sv": "Körning", "en": "Run"},
    "no-uses": {
        "fi": "Tietojesi käyttöä ei ole kirjattu.",
        "sv": "Ingen användning av dina uppgifter har registrerats.",
        "en": "No use of your data is on record.",
    },
    "no-purposes": {
        "fi": "Ei käyttötarkoituksia.",
        "sv": "Inga ändamål.",
        "en": "There are no purposes.",
    },
    "why": {"fi": "Mikä vaikutti eniten", "sv": "Vad som påverkade mest", "en": "What counted most"},
    "other-way": {
        "fi": "Mikä puhui toiseen suuntaan",
        "sv": "Vad som talade åt andra hållet",
        "en": "What spoke the other way",
    },
    "all": {"fi": "Kaikki tiedot", "sv": "Alla uppgifter", "en": "Everything that counted"},
    "signs": {
        "fi": "Rivin alussa oleva luku kertoo, kuinka paljon tieto vaikutti: plus puolesta, miinus vastaan.",
        "sv": "Talet i början av raden visar hur mycket uppgiften påverkade: plus för, minus mot.",
        "en": "The number at the beginning of a line tells how much it counted: plus for it, minus against it.",
    },
    "account": {
        "fi": "Tässä on koko selvitys siitä, mitä käytetty malli laski: jokainen alkaa luvusta {start}, ja yllä olevat luvut lisätään "
        "siihen; tulos on {total} (logaritminen vetosuhde)",
        "sv": "Detta är hela redogörelsen för vad den använda modellen räknade: alla börjar på {start} och talen ovan läggs till; det "
        "blir {total} (log-odds)",
        "en": "This is the whole account of what the model that was used computed: everyone starts at {start} and the numbers above are "
        "added, which makes {total} (log-odds)",
    },
    "number": {
        "fi": "Mallin luku sinulle {yours}; ehdotus tehdään luvusta {threshold} alkaen",
        "sv": "Modellens tal för dig {yours}; ett förslag görs från {threshold}",
        "en": "The model's number for you is {yours}; a proposal is made from {threshold} up",
    },
    "asked": {"fi": "Kysymme", "sv": "Vi frågar", "en": "We ask"},
    "recorded": {"fi": "Kirjattu", "sv": "Registrerat", "en": "Recorded"},
    "would-record": {"fi": "Kirjattaisiin", "sv": "Skulle registreras", "en": "Would be recorded"},
    "not-recorded": {"fi": "Ei kirjattu", "sv": "Inte registrerat", "en": "Not recorded"},
    "now": {"fi": "Tila nyt", "sv": "Läget nu", "en": "The state now"},
    "covers": {"fi": "Kattaa", "sv": "Omfattar", "en": "Covers"},
    "kept": {
        "fi": "Arvot säilytetään {retention_days} päivää; suostumus on voimassa {consent_days} päivää",
        "sv": "Värdena sparas i {retention_days} dagar; samtycket gäller i {consent_days} dagar",
        "en": "Values are kept for {retention_days} days; a consent lasts {consent_days} days",
    },
}


def label(key: str, language: str) -> str:
    """The heading of a line."""
    return words.pick(LABELS[key], language)


def _when(time: str) -> str:
    """``2026-11-24T05:04:00Z`` as people read it: ``2026-11-24 05:04 UTC``."""
    return f"{time[:10]} {time[11:16]} UTC"


def purposes(found: Sequence[Mapping[str, Any]], language: str) -> Iterator[str]:
    """What people can say yes or no to.

    Args:
        found: ``answers.purpose`` of each.
        language: ``fi``, ``sv`` or ``en``.
        lost: ``lost_runs.answer`` of each run of which nobody can say whom it used.

    Yields:
        Lines.
    """
    if not found:
        yield label("no-purposes", language)
    for each in found:
        yield f"{each['title']} ({each['id']}, {label('version', language)} {each['version']})"
        yield f"  {each['description']}"
        yield f"  {label('who', language)}: {each['controller']}"
        yield f"  {label('basis', language)}: {each['legal_basis_words']}"
        yield f"  {label('covers', language)}: {', '.join(each['processing_words'])}"
        yield f"  {label('kept', language).format(**each)}"
        yield f"  {label('if-no', language)}: {each['effects_of_no']}"
        asked = " ".join(each["notice"]["text"].split())
        yield f"  {label('asked', language)} ({label('version', language)} {each['notice']['version']}): {asked}"


def consents(found: Sequence[Mapping[str, Any]], language: str) -> Iterator[str]:
    """What one person agreed to, and since when.

    Args:
        found: ``answers.consent`` of each.
        language: ``fi``, ``sv`` or ``en``.
        lost: ``lost_runs.answer`` of each run of which nobody can say whom it used.

    Yields:
        Lines.
    """
    if not found:
        yield label("no-purposes", language)
    for each in found:
        yield f"{each['title']} ({each['purpose']})"
        state = str(each["status_words"])
        if each["since"]:
            state += f", {label('since', language).format(when=_when(each['since']))}"
        if each["expires"]:
            state += f", {label('until', language).format(when=_when(each['expires']))}"
        yield f"  {state}"
        if each["since"] and not each["current_version"]:
            yield f"  {label('old-version', language)}"
        yield f"  {label('if-no', language)}: {each['effects_of_no']}"


def recorded(answer: Mapping[str, Any], title: str, language: str) -> Iterator[str]:
    """An answer just recorded, or one that would be.

    Args:
        answer: ``answers.recorded`` or ``answers.foreseen``.
        title: The purpose's title.
        language: ``fi``, ``sv`` or ``en``.

    Yields:
        Lines.
    """
    line = (
        f"{label('recorded' if answer['recorded'] else 'would-record', language)}: {answer['status_words']}"
    )
    if answer.get("expires"):
        line += f", {label('until', language).format(when=_when(answer['expires']))}"
    yield line
    yield f"  {title} ({answer['purpose']})"


def not_recorded(answer: Mapping[str, Any], title: str, language: str) -> Iterator[str]:
    """An answer that cannot follow the present state.

    Args:
        answer: ``answers.not_recorded``.
        title: The purpose's title.
        language: ``fi``, ``sv`` or ``en``.

    Yields:
        Lines.
    """
    yield f"{label('not-recorded', language)}: {answer['reason_words']}"
    yield f"  {title} ({answer['purpose']}); {label('now', language)}: {answer['status_words']}"


def erasure(answer: Mapping[str, Any]) -> Iterator[str]:
    """What an erasure destroyed and kept, or would; in English, for whoever carries it out.

    Args:
        answer: ``answers.erasure``.

    Yields:
        Lines.
    """
    yield f"{'Would be erased' if answer['dry_run'] else 'Erased'}: {', '.join(answer['erased']) or 'nothing'}"
    yield f"  {answer['payloads']} records, {answer['details']} details, statuses in {answer['runs']} runs, values of {answer['values']} runs"
    if answer["kept"]:
        yield f"  kept: {', '.join(answer['kept'])}, because: {answer['kept_why']}"
    yield f"  ground: {answer['ground']}"
    yield from _dates(answer)
    if answer["no_return"]:
        yield "  a new consent is refused: the person asked not to be asked again (`luvalla consent readmit` takes it back)"
    yield from _weigh(answer["weigh"])
    yield "  stays in any case:"
    for each in answer["stays"]:
        yield f"    {each['what']}: {each['why']}"


def erasures(answer: Mapping[str, Any]) -> Iterator[str]:
    """The same for a list of people: totals only.

    Args:
        answer: ``answers.erasures``.

    Yields:
        Lines.
    """
    verb = "would be erased" if answer["dry_run"] else "erased"
    yield f"{answer['listed']} listed: {answer['erased']} {verb}, {answer['not_on_record']} not on record"
    yield f"  {answer['payloads']} records, {answer['details']} details, statuses in {answer['runs']} runs, values of {answer['values']} runs"
    if answer["erased"]:
        yield from _dates(answer)
    yield from _weigh(answer["weigh"])


def _dates(answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"  backups: their records cannot be opened from {answer['backups_unreadable_by']} on, when the key-encryption key of today is destroyed; delete the backups themselves by then"
    if not answer["dry_run"] and not answer["bytes_freed"]:
        yield "  the freed bytes are still in the database's files: another reader was in the way; repeat the same erasure to finish"


def _weigh(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in found:
        yield f"  to weigh ({each['ground']}, --keep {each['keep']}): {each['count']} {each['what']}"


def use(each: Mapping[str, Any], language: str) -> Iterator[str]:
    """One use: who, for what, on what basis, which model, when, with what result.

    Args:
        each: ``answers.use``.
        language: ``fi``, ``sv`` or ``en``.

    Yields:
        Lines.
    """
    yield f"{_when(each['at'])}  {each['processing_words']}"
    yield f"  {label('result', language)}: {each['result_words']}"
    yield f"  {label('who', language)}: {each['controller']} ({each['service']})"
    yield f"  {label('for-what', language)}: {each['title']} ({each['purpose']}, {label('version', language)} {each['purpose_version']})"
    yield f"  {label('basis', language)}: {each['legal_basis_words']}"
    if model := each["model"]:
        certified = (
            f", {label('certificate', language)} {each['certificate'][:19]}…" if each["certificate"] else ""
        )
        yield f"  {label('model', language)}: {model['name']} {label('version', language)} {model['version']} ({model['digest'][:19]}…{certified})"
    yield f"  {label('run', language)}: {each['run']}"


def uses(
    found: Sequence[Mapping[str, Any]], language: str, lost: Sequence[Mapping[str, Any]] = ()
) -> Iterator[str]:
    """Every recorded use of one person's data, newest first, and what no list of uses can show.

    Args:
        found: ``answers.use`` of each.
        language: ``fi``, ``sv`` or ``en``.
        lost: ``lost_runs.answer`` of each run of which nobody can say whom it used.

    Yields:
        Lines.
    """
    if not found:
        yield label("no-uses", language)
    for each in found:
        yield from use(each, language)
    yield from (each["words"] for each in lost)
    yield words.pick(words.NOT_PROVED["unlogged"], language)


def why(answer: Mapping[str, Any], language: str) -> Iterator[str]:
    """Why a run came out as it did, and how to contest it.

    Args:
        answer: ``answers.why``.
        language: ``fi``, ``sv`` or ``en``.

    Yields:
        Lines.
    """
    yield from use(answer["use"], language)
    yield ""
    if answer["absence"]:
        yield answer["absence"]
    if answer["offer"]:
        yield answer["offer"]
    if answer["strongest"]:
        # Where no reason for the outcome holds, what is left spoke against it: never told as the reason why.
        yield f"{label('other-way' if answer['absence'] else 'why', language)}:"
        yield from (f"  - {reason['sentence']}" for reason in answer["strongest"])
    if answer["score"] is not None and answer["threshold"] is not None:
        yield label("number", language).format(
            yours=decimal(answer["score"], language), threshold=decimal(answer["threshold"], language)
        )
    if answer["table"]:
        yield f"{label('all', language)}:"
        yield from (
            f"  {signed(reason['contribution'], language):>7}  {reason['sentence']}"
            for reason in answer["table"]
        )
        yield label("signs", language)
        if answer["expected"] is not None:
            total = answer["expected"] + sum(reason["contribution"] for reason in answer["table"])
            yield label("account", language).format(
                start=signed(answer["expected"], language), total=signed(total, language)
            )
    if any(reason["value"] is not None for reason in (*answer["strongest"], *(answer["table"] or ()))):
        yield words.pick(value_words.AS_KEPT, language)
    yield answer["human_decides"]
    yield answer["contest"]


def decimal(number: float, language: str) -> str:
    """A number with three decimals, as the language writes it."""
    text = f"{number:.3f}"
    return text if language == "en" else text.replace(".", ",")


def signed(number: float, language: str) -> str:
    """The same with its sign."""
    text = f"{number:+.3f}"
    return text if language == "en" else text.replace(".", ",")
