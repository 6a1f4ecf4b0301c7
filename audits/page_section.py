"""One section of the page: what a check's own module declares, and the page only puts in order.

A check with a section of its own writes ``<check>_section.py`` with a `Section`, a template in ``templates/sections/``, its
words by language beside it, and one line in `audits.page_sections.SECTIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from audits.report import AuditReport


def _always(_report: AuditReport) -> bool:
    return True


def _nothing(_report: AuditReport) -> None:
    return None


@dataclass(frozen=True)
class Section:
    """A section of the page. Its template gets it as ``s``, the page as ``page``, the facts as ``r`` and the words as ``t``.

    Args:
        anchor: Its id on the page, and where the contents lead; letters and hyphens.
        heading: Key of its heading among the words; short enough for the contents.
        template: File in ``templates/sections/``. It opens ``<section id=anchor aria-labelledby=anchor-h>`` with an ``h2``.
            What a board need not read to decide goes into ``<details>``.
        speaks: Languages that all of its sentences have. On a page of another language the whole section is in English, and
            marked so. A sentence that comes from the facts is English: the template marks it with the filter ``english``.
        folded: Whether all of it below its heading is folded, to be opened by who wants to check: the evidence, not the decision.
        shown: Whether a report has anything for it.
        view: From the facts to what the template shows, where that takes more than looking it up; the template calls
            ``s.view(r)``.
        texts: Its own words: by language (``en``, ``fi``, ``sv``), by key. Keys start with the anchor's or the check's name, so
            that no two sections share one. English must be whole.
    """

    anchor: str
    heading: str
    template: str
    shown: Callable[[AuditReport], bool] = _always
    view: Callable[[AuditReport], Any] = _nothing
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    folded: bool = True
    speaks: tuple[str, ...] = ("en",)


def folded(body: Markup, summary: str, heading: str) -> Markup:
    """Folds what stands below a section's heading. The page's own style opens it in print.

    Args:
        body: A section as its template gives it.
        summary: What opens it.
        heading: The section's, said by a screen reader after the summary.

    Returns:
        The section, with all below its first ``</h2>`` in ``<details>``.
    """
    head, h2, rest = str(body).partition("</h2>")
    inside, end, after = rest.rpartition("</section>")
    opener = f'<summary>{escape(summary)}<span class="unseen">: {escape(heading)}</span></summary>'
    return Markup(f"{head}{h2}\n<details>{opener}{inside}</details>\n{end}{after}")  # noqa: S704  the template escaped it
