"""Why a run came out as it did for one person: the kept values and the run's public explanation, in plain words.

Pure: bytes and documents in, an answer out. The same answer for those selected and those not selected; nothing
is computed anew, so what is told is what the model used on that day.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from consent import value_words, words
from consent.errors import ConsentEvidenceError
from consent.vocabulary import UseStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STRONGEST: Final = (
    3  # reasons told without asking: what a reader keeps in mind; the rest stands in the full table
)

_OTHER_VERSION: Final = "The run was recorded by another version of luvalla; ask the service's team."
_FOR: Final[words.Texts] = {
    "fi": "puhui ehdotuksen puolesta",
    "sv": "talade för ett förslag",
    "en": "spoke for a proposal",
}
_AGAINST: Final[words.Texts] = {
    "fi": "puhui tarjoamista vastaan tällä kertaa",
    "sv": "talade mot ett förslag den här gången",
    "en": "spoke against a proposal this time",
}
_NEUTRAL: Final[words.Texts] = {
    "fi": "ei vaikuttanut",
    "sv": "hade ingen inverkan",
    "en": "made no difference",
}
_ABSENT: Final[Mapping[str, words.Texts]] = {
    "left-out": {
        "fi": "Sinusta ei laskettu mitään: sinut jätettiin pois ennen mallia.",
        "sv": "Ingenting räknades om dig: du utelämnades före modellen.",
        "en": "Nothing was computed about you: you were left out before the model.",
    },
    "not-in-run": {
        "fi": "Sinusta ei laskettu mitään: et ollut niiden joukossa, joita tämä käyttö koski.",
        "sv": "Ingenting räknades om dig: du hörde inte till dem som den här användningen gällde.",
        "en": "Nothing was computed about you: you were not among the people that this use was about.",
    },
    "no-result": {
        "fi": "Tässä ei laskettu kenellekään tulosta: tietojasi käytettiin mallin tekemiseen tai tarkastamiseen.",
        "sv": "Här räknades inget resultat för någon: dina uppgifter användes för att göra eller granska modellen.",
        "en": "There was no result for anyone here: your data was used to make or to audit the model.",
    },
    "not-kept": {
        "fi": "Tämän käytön arvoja ei ole sinusta tallessa: säilytysaika on päättynyt tai ne on poistettu.",
        "sv": "Värdena från den här användningen finns inte sparade om dig: lagringstiden är slut eller de har raderats.",
        "en": "The values of this use are not (or no longer) kept about you: their time has ended or they were erased.",
    },
}


NONE_STANDS_OUT: Final[words.Texts] = {
    "fi": "Mikään yksittäinen syy ei nouse esiin.",
    "sv": "Inget enskilt skäl framträder.",
    "en": "No single reason stands out.",
}
"""Told where none of a person's reasons holds: the same model, made once more from other people, would have given others."""


@dataclass(frozen=True)
class Reason:
    """One feature's part in a result.

    Attributes:
        feature: The feature's name in the model; for a reason told first, the name of its family of related features.
        text: What the feature or the family is, in plain words.
        value: The value the model used, as text or number; None when there was none.
        contribution: What it added in log-odds; positive speaks for a proposal.
        sentence: Text, value and direction in one sentence.
    """

    feature: str
    text: str
    value: float | int | str | bool | None
    contribution: float
    sentence: str


@dataclass(frozen=True)
class Why:
    """The answer to "why".

    Attributes:
        explained: Whether there are reasons to tell.
        outcome: The sentence of what happened.
        absence: Why there are no reasons (empty when there are): none was kept, or none of those that carried the outcome holds.
        strongest: The reasons that carried the outcome, then the strongest the other way; at most 2 x STRONGEST. Where the run
            says which reasons hold, no other.
        table: Every feature, strongest first.
        score: The model's number for this person, 0 to 1; None when not explained.
        threshold: The number from which on a proposal is made; None when unknown.
        expected: The model's starting point before it knew anything of the person, in log-odds.
        offer: What was proposed, or what not being proposed means.
        human: That a model proposes and a person decides.
        contest: How to contest, and with whom.
        language: The language of all sentences.
    """

    explained: bool
    outcome: str
    absence: str
    strongest: tuple[Reason, ...]
    table: tuple[Reason, ...]
    score: float | None
    threshold: float | None
    expected: float | None
    offer: str
    human: str
    contest: str
    language: str


def _number(value: object, what: str) -> float:
    """Read a finite number that may be written as a decimal string (hashed documents hold no floats)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ConsentEvidenceError(
            f"the run's explanation has no number where {what} should stand", _OTHER_VERSION
        )
    try:
        number = float(value)
    except ValueError as error:
        raise ConsentEvidenceError(
            f"the run's explanation has no number where {what} should stand", _OTHER_VERSION
        ) from error
    if not math.isfinite(number):
        raise ConsentEvidenceError(
            f"the run's explanation has no finite number where {what} should stand", _OTHER_VERSION
        )
    return number


def _parse_values(values: bytes) -> tuple[Sequence[Any], Sequence[Any], float]:
    """Read the kept value bytes: contributions, feature values, score."""
    try:
        kept = json.loads(values)
        contributions, features, score = kept["c"], kept["x"], kept["s"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConsentEvidenceError(
            'the kept values are not of the form {"c": [...], "s": ..., "x": [...]}',
            _OTHER_VERSION,
        ) from error
    if not isinstance(contributions, list) or not isinstance(features, list):
        raise ConsentEvidenceError(
            "the kept values' contributions and features are not lists", _OTHER_VERSION
        )
    return contributions, features, _number(score, "the score")


def _shown(value: object) -> float | int | str | bool | None:
    return value if isinstance(value, float | int | str | bool) else None


def _reason(
    name: str, text: str, value: object, declared: object, contribution: float, language: str
) -> Reason:
    shown = _shown(value)
    direction = _NEUTRAL if contribution == 0 else (_FOR if contribution > 0 else _AGAINST)
    sentence = (
        f"{text} ({value_words.in_words(shown, declared, language)}): {words.pick(direction, language)}"
    )
    return Reason(name, text, shown, contribution, sentence)


def _by_family(table: Sequence[Reason], explanation: Mapping[str, Any], language: str) -> tuple[Reason, ...]:
    """Related features told together, strongest first; feature by feature where the run declares no families.

    A model may split one circumstance between related features with opposite signs (visits, and what they cost): told one by one
    they mislead. The families and their sentences are the run's own, as the offers use them.
    """
    family_of, texts = explanation.get("families"), explanation.get("family_texts")
    if not isinstance(family_of, dict) or not isinstance(texts, dict):
        return tuple(table)
    sums: dict[str, float] = {}
    for reason in table:
        family = str(family_of.get(reason.feature, reason.feature))
        sums[family] = sums.get(family, 0.0) + reason.contribution
    told = []
    for family, contribution in sums.items():
        text = words.pick(texts.get(family) or {}, language) or family
        direction = _NEUTRAL if contribution == 0 else (_FOR if contribution > 0 else _AGAINST)
        told.append(Reason(family, text, None, contribution, f"{text}: {words.pick(direction, language)}"))
    return tuple(sorted(told, key=lambda reason: -abs(reason.contribution)))


def _strongest(table: Sequence[Reason], *, selected: bool) -> tuple[Reason, ...]:
    """Choose what carried the outcome, then what spoke the other way: both sides, for selected and not alike."""
    speaking_for = [reason for reason in table if reason.contribution > 0][:STRONGEST]
    speaking_against = [reason for reason in table if reason.contribution < 0][:STRONGEST]
    return tuple(speaking_for + speaking_against) if selected else tuple(speaking_against + speaking_for)


def _held(told: Sequence[Reason], stable: object) -> tuple[Reason, ...]:
    """Those that the run says hold, each in its own direction; all of them where it says nothing."""
    if stable is None:
        return tuple(told)
    ways = stable if isinstance(stable, dict) else {}
    lists = [ways.get(way) for way in ("for", "against")]
    if not all(isinstance(each, list) for each in lists):
        raise ConsentEvidenceError("the run's explanation does not list which reasons hold", _OTHER_VERSION)
    speaking_for, speaking_against = (set(map(str, each or ())) for each in lists)
    return tuple(
        reason
        for reason in told
        if reason.feature in (speaking_for if reason.contribution > 0 else speaking_against)
    )


def unexplained(code: UseStatus, processing: str, controller: str, language: str) -> Why:
    """Answer when there are no kept values: say which of the three reasons it is.

    Args:
        code: The person's status in the run.
        processing: What kind of run it was.
        controller: Whom to contact.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        An answer without reasons, with the way to contest all the same.
    """
    if not code.used:
        absence = "left-out" if code.left_out else "not-in-run"
    elif processing in ("training", "audit"):
        absence = "no-result"
    else:
        absence = "not-kept"
    return Why(
        explained=False,
        outcome=words.result(code, processing, language),
        absence=words.pick(_ABSENT[absence], language),
        strongest=(),
        table=(),
        score=None,
        threshold=None,
        expected=None,
        offer="",
        human=words.pick(words.HUMAN_DECIDES, language),
        contest=words.contest(controller, language),
        language=language,
    )


def explain(
    values: bytes | None,
    explanation: Mapping[str, Any] | None,
    *,
    code: UseStatus,
    processing: str,
    controller: str,
    language: str,
) -> Why:
    """Answer "why" for one person and one run.

    Args:
        values: The person's kept value bytes ``{"c": [contribution..], "s": score, "x": [value..]}``, or None.
        explanation: The run's public document: ``features`` in the order of c and x, ``texts``, ``threshold``,
            ``expected`` (decimal strings), ``offer``, ``not_selected``, and where it declares them ``families`` (feature to
            family) and ``family_texts``, ``value_texts`` (feature to code to words, `value_words`) and ``stable`` (``for`` and
            ``against``: the families whose reasons hold, by the version's audit); or None.
        code: The person's status in the run.
        processing: What kind of run it was.
        controller: Whom to contact.
        language: ``fi``, ``sv`` or ``en``.

    Returns:
        The answer.

    Raises:
        ConsentEvidenceError: The kept values and the document do not fit each other.
    """
    if values is None or explanation is None:
        return unexplained(code, processing, controller, language)
    contributions, kept, score = _parse_values(values)
    features = explanation.get("features")
    if not isinstance(features, list) or not len(features) == len(contributions) == len(kept):
        raise ConsentEvidenceError(
            "the kept values and the run's explanation name different numbers of features",
            "Run `luvalla ledger check`: one of the two was changed after the run.",
        )
    texts: Mapping[str, words.Texts] = explanation.get("texts") or {}
    declared = explanation.get("value_texts")
    coded = declared if isinstance(declared, dict) else {}
    reasons = [
        _reason(
            str(name),
            words.pick(texts.get(name) or {}, language) or str(name),
            value,
            coded.get(name),
            _number(contribution, "a contribution"),
            language,
        )
        for name, contribution, value in zip(features, contributions, kept, strict=True)
    ]
    # Stable: features of equal strength keep the model's order.
    table = tuple(sorted(reasons, key=lambda reason: -abs(reason.contribution)))
    selected = code is UseStatus.SELECTED
    threshold, expected = explanation.get("threshold"), explanation.get("expected")
    stable = explanation.get("stable")
    told = _held(_strongest(_by_family(table, explanation, language), selected=selected), stable)
    carried = any((reason.contribution > 0) is selected for reason in told)
    return Why(
        explained=True,
        outcome=words.result(code, processing, language),
        absence="" if carried or stable is None else words.pick(NONE_STANDS_OUT, language),
        strongest=told,
        table=table,
        score=score,
        threshold=None if threshold is None else _number(threshold, "the threshold"),
        expected=None if expected is None else _number(expected, "the expected value"),
        offer=words.pick(explanation.get("offer" if selected else "not_selected") or {}, language),
        human=words.pick(words.HUMAN_DECIDES, language),
        contest=words.contest(controller, language),
        language=language,
    )
