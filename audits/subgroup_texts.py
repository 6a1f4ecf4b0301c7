"""The words of the sections on subgroups and on proxies, per language."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EN: Mapping[str, str] = MappingProxyType(
    {
        "subgroups": "Is it wrong more often about people whom nobody named?",
        "subgroups_intro": "Wrong: missed though in need, or selected without need. People alike in up to three features were sought among {searched} people and tested on {tested} others, families whole in one half. Chance would show any in at most 1 of 20 audits.",
        "subgroups_who": "Who",
        "subgroups_wrong": "Wrong here",
        "subgroups_rest": "Wrong elsewhere",
        "subgroups_interval": "90% interval of the difference",
    }
)
FI: Mapping[str, str] = MappingProxyType(
    {
        "subgroups": "Erehtyykö malli useammin ihmisistä, joita kukaan ei ole nimennyt?",
        "subgroups_intro": "Erehdys: tarpeessa oleva jäi löytymättä, tai valittiin joku, joka ei ole tarpeessa. Enintään kolmessa piirteessä toisiaan muistuttavia ihmisiä etsittiin {searched} henkilön joukosta ja tulos koeteltiin {tested} muulla, perheet kokonaisina samassa puoliskossa. Sattuma näyttäisi jotakin enintään yhdessä tarkastuksessa 20:stä.",
        "subgroups_who": "Ketkä",
        "subgroups_wrong": "Väärin tässä joukossa",
        "subgroups_rest": "Väärin muualla",
        "subgroups_interval": "Eron 90 prosentin väli",
    }
)
SV: Mapping[str, str] = MappingProxyType(
    {
        "subgroups": "Har den fel oftare om människor som ingen har nämnt?",
        "subgroups_intro": "Fel: missad trots behov, eller vald utan behov. Människor som liknar varandra i högst tre egenskaper söktes bland {searched} personer och prövades på {tested} andra, familjer hela i samma halva. Slumpen skulle visa något i högst en granskning av 20.",
        "subgroups_who": "Vilka",
        "subgroups_wrong": "Fel här",
        "subgroups_rest": "Fel annanstans",
        "subgroups_interval": "90-procentigt intervall för skillnaden",
    }
)
PROXIES_EN: Mapping[str, str] = MappingProxyType(
    {
        "proxies": "How groups show through the features",
        "proxies_intro": "A model that does not look at a group can still see it through features that go with it. This describes what goes together; it says nothing of causes, and no limit is set.",
        "proxies_auc": "How well the features tell the group",
        "proxies_auc_intro": "Of one person of the group and one other: in how many such pairs the features tell which is which; 50% is chance, 100% always. Learnt on other people ({people} in all).",
        "proxies_pairs": "Told apart",
        "proxies_gaps": "What a difference in mean score is made of",
        "proxies_gaps_intro": "Mean contribution of each feature in the group less everyone else's, in {unit}. The parts add up to the difference in mean score.",
        "proxies_score": "Difference in mean score",
        "proxies_parts": "Its largest parts",
    }
)
PROXIES_FI: Mapping[str, str] = MappingProxyType(
    {
        "proxies": "Miten ryhmät näkyvät piirteiden läpi",
        "proxies_intro": "Malli, joka ei katso ryhmää, voi silti nähdä sen siihen liittyvien piirteiden läpi. Tässä kuvataan, mitkä asiat kulkevat yhdessä; syistä tämä ei kerro, eikä rajaa ole asetettu.",
        "proxies_auc": "Kuinka hyvin piirteet kertovat ryhmän",
        "proxies_auc_intro": "Yksi ryhmään kuuluva ja yksi muu: kuinka monessa tällaisessa parissa piirteet kertovat, kumpi on kumpi; 50 % on sattuma, 100 % aina. Opittu muilta ihmisiltä ({people} kaikkiaan).",
        "proxies_pairs": "Erotettu",
        "proxies_gaps": "Mistä keskimääräisen pistemäärän ero koostuu",
        "proxies_gaps_intro": "Kunkin piirteen keskimääräinen vaikutus ryhmässä vähennettynä muiden vastaavalla, yksikkönä {unit}. Osat summautuvat keskimääräisen pistemäärän eroksi.",
        "proxies_score": "Ero keskimääräisessä pistemäärässä",
        "proxies_parts": "Suurimmat osat",
    }
)
PROXIES_SV: Mapping[str, str] = MappingProxyType(
    {
        "proxies": "Hur grupper syns genom egenskaperna",
        "proxies_intro": "En modell som inte ser på en grupp kan ändå se den genom egenskaper som följer med den. Detta beskriver vad som följs åt; det säger inget om orsaker, och ingen gräns är satt.",
        "proxies_auc": "Hur väl egenskaperna visar gruppen",
        "proxies_auc_intro": "En person i gruppen och en annan: i hur många sådana par egenskaperna visar vem som är vem; 50 % är slump, 100 % alltid. Lärt av andra människor ({people} i allt).",
        "proxies_pairs": "Åtskilda",
        "proxies_gaps": "Vad en skillnad i medelpoäng består av",
        "proxies_gaps_intro": "Varje egenskaps medelbidrag i gruppen minus alla andras, i {unit}. Delarna summerar till skillnaden i medelpoäng.",
        "proxies_score": "Skillnad i medelpoäng",
        "proxies_parts": "Dess största delar",
    }
)
"""Finnish and Swedish stand ready for the page, which speaks English so far (`audits.texts`); a test keeps the keys alike."""
