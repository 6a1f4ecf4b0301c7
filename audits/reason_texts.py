"""Words of the section on whether reasons hold, per language."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EN: Mapping[str, str] = MappingProxyType(
    {
        "reasons_refits": "Do the reasons hold?",
        "reasons_refits_intro": "The model was fitted {refits} more times, each time without some of the people, and {people} people were explained by each. A person is told up to {strongest} reasons each way. A reason is stable if every refit would tell it to at least {least} of the people whom this version tells it, {few} people or more. An unstable reason is told to nobody; where none is left, the person is told that no single reason stands out.",
        "reasons_told": "Reasons as people are told them",
        "reasons_features": "Features over the refits",
        "reasons_reason": "Reason",
        "reasons_direction": "Speaks",
        "reasons_for": "for",
        "reasons_against": "against",
        "reasons_told_n": "Among the strongest",
        "reasons_kept": "In every refit too",
        "reasons_stable": "Told",
        "reasons_yes": "yes, stable",
        "reasons_no": "no, not stable",
        "reasons_few": "no, too few to say",
        "reasons_share": "Share of what moves the score, least and most",
        "reasons_monotone": "Directions that the service declares",
        "reasons_deletion": "Do the reasons do what they say?",
        "reasons_deletion_intro": "For {people} people the features that raised the score most were set to a reference, and as many drawn at random, {draws} times. The score should fall more without its reasons. In {unit}. The reference:",
        "reasons_taken": "Features",
        "reasons_strongest": "Fall without the strongest",
        "reasons_random": "Fall without random ones",
        "reasons_gain": "Difference",
        "title_explainability.importance_stability": "Weight of features over refits",
        "title_explainability.top_reason": "Leading reason over refits",
        "title_explainability.deletion": "Reasons taken away",
    }
)

FI: Mapping[str, str] = MappingProxyType(
    {
        "reasons_refits": "Pitävätkö syyt?",
        "reasons_refits_intro": "Malli sovitettiin vielä {refits} kertaa, joka kerta ilman osaa ihmisistä, ja kukin niistä selitti {people} henkilöä. Ihmiselle kerrotaan enintään {strongest} syytä kumpaankin suuntaan. Syy on vakaa, jos jokainen uudelleen sovitettu malli kertoisi sen vähintään {least}:lle niistä, joille tämä versio sen kertoo, ja heitä on vähintään {few}. Epävakaata syytä ei kerrota kenellekään; jos yhtään ei jää, ihmiselle kerrotaan, ettei mikään yksittäinen syy nouse esiin.",
        "reasons_told": "Syyt sellaisina kuin ne kerrotaan",
        "reasons_features": "Piirteet uudelleen sovitetuissa malleissa",
        "reasons_reason": "Syy",
        "reasons_direction": "Puhuu",
        "reasons_for": "puolesta",
        "reasons_against": "vastaan",
        "reasons_told_n": "Vahvimpien joukossa",
        "reasons_kept": "Myös jokaisessa uudessa mallissa",
        "reasons_stable": "Kerrotaan",
        "reasons_yes": "kyllä, vakaa",
        "reasons_no": "ei, epävakaa",
        "reasons_few": "ei, liian vähän arvioitavaksi",
        "reasons_share": "Osuus pisteiden vaihtelusta, pienin ja suurin",
        "reasons_monotone": "Palvelun ilmoittamat suunnat",
        "reasons_deletion": "Vaikuttavatko syyt niin kuin sanotaan?",
        "reasons_deletion_intro": "{people} henkilöltä pisteitä eniten nostaneet piirteet asetettiin vertailuarvoon, ja yhtä monta sattumalta valittua, {draws} kertaa. Pisteiden pitäisi laskea enemmän ilman syitä. Yksikkö: {unit}. Vertailuarvo:",
        "reasons_taken": "Piirteitä",
        "reasons_strongest": "Lasku ilman vahvimpia",
        "reasons_random": "Lasku ilman satunnaisia",
        "reasons_gain": "Ero",
        "title_explainability.importance_stability": "Piirteiden paino uudelleen sovitetuissa malleissa",
        "title_explainability.top_reason": "Tärkein syy uudelleen sovitetuissa malleissa",
        "title_explainability.deletion": "Syyt poistettuina",
    }
)

SV: Mapping[str, str] = MappingProxyType(
    {
        "reasons_refits": "Håller skälen?",
        "reasons_refits_intro": "Modellen anpassades {refits} gånger till, varje gång utan en del av personerna, och {people} personer förklarades av var och en. En person får höra högst {strongest} skäl åt vardera hållet. Ett skäl är stabilt om varje ny anpassning skulle säga det till minst {least} av dem som denna version säger det till, {few} personer eller fler. Ett instabilt skäl sägs till ingen; om inget återstår får personen veta att inget enskilt skäl framträder.",
        "reasons_told": "Skälen så som människor får höra dem",
        "reasons_features": "Egenskaper över anpassningarna",
        "reasons_reason": "Skäl",
        "reasons_direction": "Talar",
        "reasons_for": "för",
        "reasons_against": "emot",
        "reasons_told_n": "Bland de starkaste",
        "reasons_kept": "Också i varje ny anpassning",
        "reasons_stable": "Sägs",
        "reasons_yes": "ja, stabilt",
        "reasons_no": "nej, inte stabilt",
        "reasons_few": "nej, för få för att säga",
        "reasons_share": "Andel av det som flyttar poängen, minst och mest",
        "reasons_monotone": "Riktningar som tjänsten anger",
        "reasons_deletion": "Gör skälen vad de säger?",
        "reasons_deletion_intro": "För {people} personer sattes de egenskaper som höjde poängen mest till ett referensvärde, och lika många slumpvis valda, {draws} gånger. Poängen bör falla mer utan sina skäl. I {unit}. Referensen:",
        "reasons_taken": "Egenskaper",
        "reasons_strongest": "Fall utan de starkaste",
        "reasons_random": "Fall utan slumpvisa",
        "reasons_gain": "Skillnad",
        "title_explainability.importance_stability": "Egenskapernas vikt över anpassningar",
        "title_explainability.top_reason": "Ledande skäl över anpassningar",
        "title_explainability.deletion": "Skäl borttagna",
    }
)
