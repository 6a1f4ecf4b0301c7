"""Words of the section on baselines, per language."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EN: Mapping[str, str] = MappingProxyType(
    {
        "baselines": "Is it better than something simpler?",
        "baselines_intro": "The version finds {found} of {in_need} people in need. Below, each row is a simpler way of choosing as many of the same people. Differences are the version's less the other's; intervals are paired, {level}.",
        "baselines_plain": "This version is itself a simple model: it has no complexity to earn.",
        "baselines_against": "Against",
        "baselines_found": "In need found",
        "baselines_found_gain": "Found more",
        "baselines_area": "Pairs in order",
        "baselines_area_gain": "More pairs in order",
        "title_baselines.complexity": "Is the complexity earned?",
    }
)

FI: Mapping[str, str] = MappingProxyType(
    {
        "baselines": "Onko se parempi kuin jokin yksinkertaisempi?",
        "baselines_intro": "Versio löytää {found} palvelua tarvitsevista ({in_need} henkilöä). Alla jokainen rivi on yksinkertaisempi tapa valita yhtä monta samoista ihmisistä. Erot ovat version miinus toisen; välit ovat parittaisia, {level}.",
        "baselines_plain": "Tämä versio on itse yksinkertainen malli: sen ei tarvitse ansaita monimutkaisuuttaan.",
        "baselines_against": "Verrattuna",
        "baselines_found": "Tarvitsevista löydetty",
        "baselines_found_gain": "Löydetty enemmän",
        "baselines_area": "Parit järjestyksessä",
        "baselines_area_gain": "Enemmän pareja järjestyksessä",
        "title_baselines.complexity": "Onko monimutkaisuus ansaittu?",
    }
)

SV: Mapping[str, str] = MappingProxyType(
    {
        "baselines": "Är den bättre än något enklare?",
        "baselines_intro": "Versionen hittar {found} av {in_need} personer med behov. Varje rad nedan är ett enklare sätt att välja lika många av samma personer. Skillnader är versionens minus den andras; intervallen är parade, {level}.",
        "baselines_plain": "Denna version är själv en enkel modell: den har ingen komplexitet att förtjäna.",
        "baselines_against": "Jämfört med",
        "baselines_found": "Med behov hittade",
        "baselines_found_gain": "Hittade fler",
        "baselines_area": "Par i ordning",
        "baselines_area_gain": "Fler par i ordning",
        "title_baselines.complexity": "Är komplexiteten förtjänad?",
    }
)
