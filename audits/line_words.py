"""A line's title and what it found, in Finnish and Swedish, from its figures alone; `audits.wording` is the English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audits import wording
from audits.figures import Figures
from audits.finding import Outcome
from audits.lines import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.finding import Finding

TITLE: Final[Mapping[str, Mapping[str, str]]] = {
    "fi": {
        "tpr_gap": "Löytämättä jäänyt tarve",
        "ppv_gap": "Turhat yhteydenotot",
        "fpr_gap": "Aiheettomat valinnat",
        "fdr_gap": "Väärin valitut",
        "fnr_gap": "Löytämättä jääneiden osuus",
        "for_gap": "Väärin jätetty valitsematta",
        "accuracy_gap": "Oikeat ratkaisut",
        "selection_gap": "Ero valinnassa",
        "selection_ratio": "Valittu harvemmin",
        "other_need_tpr_gap": "Löytämättä jäänyt tarve, toisella mitalla",
        "observed_expected": "Tarve ennustettu liian pieneksi",
        "calibration_slope": "Mitä pistemäärä merkitsee",
        "levelling_down": "Löytämättä jäänyt tarve ensimmäiseen versioon verrattuna",
    },
    "sv": {
        "tpr_gap": "Missat behov",
        "ppv_gap": "Kontakter i onödan",
        "fpr_gap": "Falska larm",
        "fdr_gap": "Felaktigt utvalda",
        "fnr_gap": "Andel missade",
        "for_gap": "Felaktigt utelämnade",
        "accuracy_gap": "Rätta beslut",
        "selection_gap": "Skillnad i urval",
        "selection_ratio": "Utvalda mer sällan",
        "other_need_tpr_gap": "Missat behov, med ett annat mått",
        "observed_expected": "Behovet underskattat",
        "calibration_slope": "Vad poängen betyder",
        "levelling_down": "Missat behov jämfört med den första versionen",
    },
}
"""By language and metric."""
FOUND: Final[Mapping[str, Mapping[str, str]]] = {
    "fi": {
        "tpr": "{of} tarpeessa olevasta löydettiin {hits}",
        "ppv": "{of} valitusta {hits} oli tarpeessa",
        "fpr": "{of} henkilöstä, jotka eivät olleet tarpeessa, valittiin silti {hits}",
        "fnr": "{of} tarpeessa olevasta jäi löytämättä {hits}",
        "fdr": "{of} valitusta {hits} ei ollut tarpeessa",
        "for": "{of} valitsematta jääneestä {hits} oli tarpeessa",
        "accuracy": "{of} henkilöstä {hits} sai oikean ratkaisun",
        "selection_rate": "{of} henkilöstä valittiin {hits}",
    },
    "sv": {
        "tpr": "hittades {hits} av {of} personer i behov",
        "ppv": "var {hits} av {of} utvalda personer i behov",
        "fpr": "valdes {hits} av {of} personer utan behov ändå ut",
        "fnr": "missades {hits} av {of} personer i behov",
        "fdr": "var {hits} av {of} utvalda personer inte i behov",
        "for": "var {hits} av {of} personer som inte valdes ut i behov",
        "accuracy": "blev beslutet rätt för {hits} av {of} personer",
        "selection_rate": "valdes {hits} av {of} personer ut",
    },
}
"""By language and rate: who is its denominator, and what makes a hit."""
SENTENCE: Final[Mapping[str, Mapping[str, str]]] = {
    "fi": {
        "compared": "Ryhmässä {who} {found}{share}; kaikilla muilla {there}.",
        "each": "jokaisesta {base}",
        "by": " (mittana {measure})",
        "would": " Muiden osuudella täältä olisi löydetty {people} tarpeessa olevaa enemmän.",
        "expected": "Ryhmässä {who} on tarpeessa {here} jokaista 100 sellaista kohti, joiden malli odottaa olevan tarpeessa.",
        "expected_few": "Ryhmässä {who} oli tarpeessa {hits}; malli odotti {expected}.",
        "slope": "Ryhmässä {who} tarve kasvaa {times} kertaa niin nopeasti kuin pistemäärä sanoo.",
        "levelled": "Ryhmässä {who} tältä versiolta jää löytämättä {hits}/{of} tarpeessa olevasta ({here}); ensimmäiseltä versiolta jäi {there}.",
    },
    "sv": {
        "compared": "I gruppen {who} {found}{share}; bland alla andra {there}.",
        "each": "varje {base}",
        "by": " (mätt med {measure})",
        "would": " Med alla andras andel hade {people} till i behov hittats här.",
        "expected": "I gruppen {who} är {here} i behov för varje 100 som modellen väntar sig är i behov.",
        "expected_few": "I gruppen {who} var {hits} i behov; modellen väntade sig {expected}.",
        "slope": "I gruppen {who} växer behovet {times} gånger så fort som poängen säger.",
        "levelled": "I gruppen {who} missar den här versionen {hits} av {of} i behov ({here}); den första versionen missade {there}.",
    },
}
"""What is said of a line, by language."""
_OF_100 = 100


def title(f: Finding, language: str) -> str:
    """Names a line.

    Args:
        f: A line's finding.
        language: ``en``, ``fi`` or ``sv``.

    Returns:
        ``Missat behov: Black (race)``; groups are named as the data names them.
    """
    words = wording.METRIC_TITLE if language == "en" else TITLE[language]
    by = f" ({f.measure.replace('_', ' ')})" if f.measure else ""
    return f"{words[f.metric]}{by}: {wording.who(f)}"


def plain(f: Finding, language: str) -> str:
    """Says a line's finding in people out of a hundred.

    Args:
        f: A line's finding.
        language: ``fi`` or ``sv``.

    Returns:
        One or two sentences; "" where this language has none (counts that were withheld, lines that do not apply, nothing to
        count): the English ones then stand.
    """
    if f.counts is None or f.n == 0 or f.estimate is None or f.rate is None or f.ranges is not None:
        return ""
    if f.outcome is Outcome.NOT_APPLICABLE:
        return ""
    say, figures, c, who = SENTENCE[language], Figures(language), f.counts, wording.who(f)
    if f.metric == "observed_expected":
        if c.group_hits >= _OF_100:
            return say["expected"].format(who=who, here=f"{100 * f.estimate:.0f}")
        expected = f"{c.group_hits / f.estimate if f.estimate else 0.0:.1f}".replace(".", ",")
        return say["expected_few"].format(who=who, hits=c.group_hits, expected=expected)
    if f.metric == "calibration_slope":
        return say["slope"].format(who=who, times=f"{f.estimate:.2f}".replace(".", ","))
    if f.rest_rate is None:
        return ""
    if f.metric == "levelling_down":
        return say["levelled"].format(
            who=who,
            hits=c.group_hits,
            of=c.group_of,
            here=figures.percent(f.rate, 0),
            there=figures.percent(f.rest_rate, 0),
        )
    whole = min(c.group_of, c.rest_of) >= _OF_100
    base = 1000 if 0 < min(f.rate, f.rest_rate) < 0.02 else 100  # noqa: PLR2004  as in `audits.wording.plain`
    rate = METRICS[f.metric].rate
    here = (say["each"].format(base=base), f"{base * f.rate:.0f}") if whole else (c.group_of, c.group_hits)
    found = FOUND[language][rate].format(of=here[0], hits=here[1])
    by = say["by"].format(measure=f.measure.replace("_", " ")) if f.measure else ""
    sentence = say["compared"].format(
        who=who,
        found=found,
        share=by + ("" if whole else f" ({figures.percent(f.rate, 0)})"),
        there=f"{base * f.rest_rate:.0f}" if whole else figures.percent(f.rest_rate, 0),
    )
    people = round((f.rest_rate - f.rate) * c.group_of)
    if people > 0 and rate == "tpr":
        return sentence + say["would"].format(people=people)
    return sentence
