"""The sections on people for whom the version errs more often, and on how groups show through features."""

from __future__ import annotations

from typing import Final

from audits import subgroup_texts
from audits.page_section import Section

SUBGROUPS: Final = Section(
    "subgroups",
    "subgroups",
    "subgroups.html.jinja",
    shown=lambda report: report.subgroups is not None,
    texts={"en": subgroup_texts.EN, "fi": subgroup_texts.FI, "sv": subgroup_texts.SV},
)
PROXIES: Final = Section(
    "proxies",
    "proxies",
    "proxies.html.jinja",
    shown=lambda report: report.proxies is not None,
    texts={"en": subgroup_texts.PROXIES_EN, "fi": subgroup_texts.PROXIES_FI, "sv": subgroup_texts.PROXIES_SV},
)
