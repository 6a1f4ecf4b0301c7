"""The words of the section on the measures of need, per language."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EN: Mapping[str, str] = MappingProxyType(
    {
        "labels": "Would another measure of need say otherwise?",
        "labels_intro": "Need is never seen itself, only measured, and a measure can be kinder to one group than to another: where money was spent on care there was need, but where none was spent there may have been need too. So each measure that is held is put beside the declared one.",
        "labels_declared": "Declared: “{declared}”. Reason: {reason}",
        "labels_no_reason": "Declared: “{declared}”. No reason was given.",
        "labels_measure": "Measure",
        "labels_says": "What it measures",
        "labels_known": "Known for",
        "labels_is_declared": "declared",
        "labels_groups": "Each group against everyone else, by each measure",
        "labels_groups_intro": "In people of a hundred (pp), with 90% intervals; above 0 the group is worse off. In need: by how much more often. Missed: of those in need, by how much more often not selected. Same score: among people whom the model scores alike, by how much more often in need; above 0 the score is too low for this group. No limit is set.",
        "labels_gap_need": "In need, more often by",
        "labels_gap_missed_need": "Missed, more often by",
        "labels_gap_equal_score": "In need at the same score, more often by",
        "labels_few": "too few to say",
    }
)

FI: Mapping[str, str] = MappingProxyType(
    {
        "labels": "Kertoisiko toinen tarpeen mittari muuta?",
        "labels_intro": "Tarvetta ei nähdä sellaisenaan, se vain mitataan, ja mittari voi kohdella yhtä ryhmää toista paremmin: missä hoitoon on käytetty rahaa, siellä on ollut tarvetta, mutta tarvetta on voinut olla myös siellä, missä rahaa ei ole käytetty. Siksi jokainen käytettävissä oleva mittari asetetaan ilmoitetun rinnalle.",
        "labels_declared": "Ilmoitettu: ”{declared}”. Perustelu: {reason}",
        "labels_no_reason": "Ilmoitettu: ”{declared}”. Perustelua ei annettu.",
        "labels_measure": "Mittari",
        "labels_says": "Mitä se mittaa",
        "labels_known": "Tiedossa",
        "labels_is_declared": "ilmoitettu",
        "labels_groups": "Kukin ryhmä verrattuna kaikkiin muihin, kullakin mittarilla",
        "labels_groups_intro": "Henkilöinä sadasta (pp), 90 prosentin välit; yli nollan ryhmä on huonommassa asemassa. Tarpeessa: kuinka paljon useammin. Löytymättä: kuinka paljon useampi tarpeessa oleva jää valitsematta. Sama pistemäärä: kuinka paljon useammin tarpeessa niistä, joille malli antaa saman pistemäärän; yli nollan pistemäärä on ryhmälle liian matala. Rajaa ei ole asetettu.",
        "labels_gap_need": "Tarpeessa, useammin",
        "labels_gap_missed_need": "Löytymättä, useammin",
        "labels_gap_equal_score": "Tarpeessa samalla pistemäärällä, useammin",
        "labels_few": "liian vähän arvioitavaksi",
    }
)

SV: Mapping[str, str] = MappingProxyType(
    {
        "labels": "Skulle ett annat mått på behov säga något annat?",
        "labels_intro": "Behov syns aldrig i sig, det bara mäts, och ett mått kan vara mildare mot en grupp än mot en annan: där pengar har lagts på vård fanns behov, men där inga har lagts kan också ha funnits behov. Därför ställs varje mått som finns bredvid det angivna.",
        "labels_declared": "Angivet: ”{declared}”. Skäl: {reason}",
        "labels_no_reason": "Angivet: ”{declared}”. Inget skäl gavs.",
        "labels_measure": "Mått",
        "labels_says": "Vad det mäter",
        "labels_known": "Känt för",
        "labels_is_declared": "angivet",
        "labels_groups": "Varje grupp jämförd med alla andra, med varje mått",
        "labels_groups_intro": "I personer av hundra (pp), med 90-procentiga intervall; över 0 är gruppen sämre ställd. I behov: hur mycket oftare. Missade: hur mycket oftare de som är i behov inte väljs. Samma poäng: hur mycket oftare i behov bland dem som modellen ger samma poäng; över 0 är poängen för låg för gruppen. Ingen gräns är satt.",
        "labels_gap_need": "I behov, oftare med",
        "labels_gap_missed_need": "Missade, oftare med",
        "labels_gap_equal_score": "I behov vid samma poäng, oftare med",
        "labels_few": "för få för att säga",
    }
)
"""Finnish and Swedish stand ready for the page, which speaks English so far (`audits.texts`); a test keeps the keys alike."""
