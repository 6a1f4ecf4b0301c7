"""The benefit section's own words, per language, and its sentences in the language of the facts (English)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EN: Mapping[str, str] = MappingProxyType(
    {
        "benefit": "Does choosing people this way help?",
        "benefit_intro": "A randomised trial of {treatment}; the outcome is: {outcome}. {people} people, {treated} of them treated. Everyone counted below was ranked by a model that had learnt from other people, in earlier parts of the trial. Gain: how much more the {capacity} with the largest predicted gain gain, per person, than people chosen blindly.",
        "benefit_units_yes": "pp: people in a hundred.",
        "benefit_units_no": "In the outcome's own unit, per person.",
        "benefit_strata": "The average effect where people were randomised",
        "benefit_groups": "Who would receive the gain",
        "benefit_groups_intro": "Gain received per person of the group, chosen or not. Described: no limit is set.",
        "benefit_folds": "The parts of the trial",
        "benefit_stratum": "Stratum",
        "benefit_treated": "Treated",
        "benefit_effect": "Average effect",
        "benefit_chosen": "Chosen",
        "benefit_per_head": "Gain per person",
        "benefit_taught": "Learnt from",
        "benefit_learner": "Kind of model",
        "benefit_gain": "Gain",
        "benefit_error": "Standard error",
        "benefit_few": "too few to say",
        "title_benefit.gain": "Gain from choosing",
        "title_benefit.assignment": "The trial's assignment",
    }
)

FI: Mapping[str, str] = MappingProxyType(
    {
        "benefit": "Onko tästä valintatavasta hyötyä?",
        "benefit_intro": "Satunnaistettu koe: {treatment}; tulos: {outcome}. {people} henkilöä, joista {treated} kuului koeryhmään. Jokaisen alla mukana olevan asetti järjestykseen malli, joka oli oppinut muilta, kokeen aiemmista osista. Hyöty: kuinka paljon enemmän ne {capacity}, joiden ennustettu hyöty on suurin, hyötyvät henkilöä kohti kuin sattumalta valitut.",
        "benefit_units_yes": "pp: henkilöä sadasta.",
        "benefit_units_no": "Tuloksen omassa yksikössä, henkilöä kohti.",
        "benefit_strata": "Keskimääräinen vaikutus ositteissa, joissa satunnaistettiin",
        "benefit_groups": "Kuka hyödyn saisi",
        "benefit_groups_intro": "Saatu hyöty ryhmän jäsentä kohti, valittiinpa hänet tai ei. Kuvaava: rajaa ei ole asetettu.",
        "benefit_folds": "Kokeen osat",
        "benefit_stratum": "Osite",
        "benefit_treated": "Koeryhmässä",
        "benefit_effect": "Keskimääräinen vaikutus",
        "benefit_chosen": "Valittuja",
        "benefit_per_head": "Hyöty henkilöä kohti",
        "benefit_taught": "Opetusaineisto",
        "benefit_learner": "Mallin laji",
        "benefit_gain": "Hyöty",
        "benefit_error": "Keskivirhe",
        "benefit_few": "liian vähän arvioitavaksi",
        "title_benefit.gain": "Valinnan hyöty",
        "title_benefit.assignment": "Kokeen satunnaistaminen",
    }
)

SV: Mapping[str, str] = MappingProxyType(
    {
        "benefit": "Är det till nytta att välja på det här sättet?",
        "benefit_intro": "Ett randomiserat försök: {treatment}; utfallet är: {outcome}. {people} personer, varav {treated} i försöksgruppen. Alla som räknas nedan rangordnades av en modell som hade lärt sig av andra, i tidigare delar av försöket. Nytta: hur mycket mer de {capacity} med störst förväntad nytta vinner, per person, än slumpvis valda.",
        "benefit_units_yes": "pp: personer av hundra.",
        "benefit_units_no": "I utfallets egen enhet, per person.",
        "benefit_strata": "Den genomsnittliga effekten i de strata där man randomiserade",
        "benefit_groups": "Vem som skulle få nyttan",
        "benefit_groups_intro": "Nytta per person i gruppen, vald eller inte. Beskrivande: ingen gräns är satt.",
        "benefit_folds": "Försökets delar",
        "benefit_stratum": "Stratum",
        "benefit_treated": "I försöksgruppen",
        "benefit_effect": "Genomsnittlig effekt",
        "benefit_chosen": "Valda",
        "benefit_per_head": "Nytta per person",
        "benefit_taught": "Lärde sig av",
        "benefit_learner": "Slag av modell",
        "benefit_gain": "Nytta",
        "benefit_error": "Medelfel",
        "benefit_few": "för få för att säga",
        "title_benefit.gain": "Nyttan av att välja",
        "title_benefit.assignment": "Försökets randomisering",
    }
)
"""Finnish and Swedish stand ready for the page, which speaks English so far (`audits.texts`); a test keeps the keys alike."""
