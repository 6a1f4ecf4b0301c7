"""``check_service``: what every service must satisfy, for authors of plug-ins to call in a test of their own.

Example:
    >>> from models.youth_exclusion import SERVICE
    >>> check_service(SERVICE)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from models import population, reasons, synthetic, training
from models.scoring import score
from models.service import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.service import Service, Texts

STIGMATISING = {
    "en": (
        "at risk",
        "risk of",
        "problem",
        "failure",
        "dropout",
        "drop out",
        "marginali",
        "exclu",
        "vulnerab",
        "deviant",
    ),
    "fi": ("riski", "syrjäyty", "ongelma", "epäonnistu", "vaarassa", "heikko-osai", "häiriö"),
    "sv": ("risk", "utslag", "utanför", "problem", "misslyck", "utsatt", "störning"),
}
"""Beginnings of words no text said to a person may hold: they name what the model guesses, not what is offered."""

_ROWS = 400
_ROUNDED = 0.01
"""Shares may miss 1 by so much: published tables are rounded to a percent."""


def check_service(service: Service) -> None:
    """Check a service's declarations, texts and recipes on invented residents. About a second a recipe.

    Raises:
        AssertionError: Something does not hold; the message says what, all of it at once.
    """
    faults = [*_declaration_faults(service), *_text_faults(service)]
    if not faults:
        faults = list(_behaviour_faults(service))
    if faults:
        raise AssertionError(f"Service '{service.id}': " + "; ".join(faults))


def _declaration_faults(service: Service) -> Iterator[str]:
    names = [column.name for column in service.contract]
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", service.id):
        yield "the id is not lower-case words joined by hyphens"
    if len(set(names)) != len(names):
        yield "two columns of the contract share a name"
    if [column.role for column in service.contract].count("person") != 1:
        yield "the contract has not exactly one person column"
    if [column.role for column in service.contract].count("family") > 1:
        yield "the contract has more than one family column"
    if not 0 < service.capacity < 1:
        yield "the capacity is not between 0 and 1"
    if not service.features:
        yield "there are no features"
    by_name = {column.name: column for column in service.contract}
    for name in service.features:
        if name not in by_name or by_name[name].role != "feature":
            yield f"feature '{name}' is not a feature column of the contract"
        elif by_name[name].known == "after":
            yield f"feature '{name}' is declared to be known only after the decision"
    for name in service.value_texts:
        if name not in service.features:
            yield f"value_texts says what the values of '{name}' mean, which is no feature"
    for name, way in service.monotone.items():
        if not _orderly(service, name):
            yield f"the model is declared monotone in '{name}', which is no number, amount or flag among the features"
        if way not in {"increasing", "decreasing"}:
            yield f"'{name}' is declared '{way}', neither increasing nor decreasing"
    if service.prior_rule is not None and not _orderly(service, service.prior_rule.feature):
        yield f"the prior rule orders people by '{service.prior_rule.feature}', which is no number, amount or flag among the features"
    for name in service.sensitive_features:
        if name not in by_name or by_name[name].kind != "category":
            yield f"sensitive feature '{name}' is not a category column of the contract"
    for name, shares in service.population_shares.items():
        if name not in service.sensitive_features or set(shares) != set(by_name[name].categories) - {
            "unknown"
        }:
            yield f"population_shares of '{name}' do not name every group of a sensitive feature"
        elif min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > _ROUNDED:
            yield f"population_shares of '{name}' do not add up to 1"
    if service.need.reason and any(not service.need.reason.get(language) for language in LANGUAGES):
        yield "the reason for the declared measure of need is missing in a language"
    for need in (service.need, *service.other_needs):
        if need.column not in by_name or by_name[need.column].kind != "flag":
            yield f"need '{need.column}' is not a flag column of the contract"
        if need.column in service.features:
            yield f"need '{need.column}' is also a feature: the model would be told what it is to find"
    for column in service.contract:
        if column.kind == "category" and not column.categories:
            yield f"category column '{column.name}' names no categories"
    if not service.recipes:
        yield "there are no recipes"
    for name, recipe in service.recipes.items():
        if name != recipe.name:
            yield f"recipe '{recipe.name}' stands under the name '{name}'"
        if recipe.target not in by_name or by_name[recipe.target].role != "outcome":
            yield f"recipe '{name}' learns '{recipe.target}', which is no outcome column"
        if recipe.mitigation and (recipe.family != "linear" or not recipe.mitigation_features):
            yield f"recipe '{name}' has a mitigation, but is not linear or names no mitigation features"
        for feature in recipe.mitigation_features:
            if feature not in service.sensitive_features:
                yield f"recipe '{name}' mitigates over '{feature}', which is no sensitive feature"
    if service.purposes.development == service.purposes.offer:
        yield "training and offers share one purpose: people could not say yes to one and no to the other"


def _orderly(service: Service, name: str) -> bool:
    return name in service.features and service.column(name).kind in {"number", "amount", "flag"}


def _text_faults(service: Service) -> Iterator[str]:
    said: dict[str, Texts] = {
        "title": service.title,
        "description": service.description,
        "offer": service.offer,
        **{f"feature_texts[{name}]": service.feature_texts.get(name, {}) for name in service.features},
    }
    for name in service.features:
        family = service.feature_families.get(name)
        said[f"family_texts[{family}]"] = service.family_texts.get(family, {}) if family else {}
    for name, code in _codes(service):
        said[f"value_texts[{name}][{code}]"] = service.value_texts.get(name, {}).get(code, {})
    for place, texts in said.items():
        for language in LANGUAGES:
            text = texts.get(language, "").strip()
            if not text:
                yield f"{place} has no text in {language}"
            for word in STIGMATISING[language]:
                if re.search(rf"\b{re.escape(word)}", text.lower()):
                    yield f"{place} says '{word}' in {language}"
    for language in LANGUAGES:
        if not service.need.description.get(language, "").strip():
            yield f"need.description has no text in {language}"


def _codes(service: Service) -> Iterator[tuple[str, str]]:
    """Each feature and code that a person may be shown, with those that are declared beyond the contract."""
    for column in (column for column in service.contract if column.name in service.features):
        coded = (
            column.categories if column.kind == "category" else ("0", "1") if column.kind == "flag" else ()
        )
        for code in dict.fromkeys((*coded, *service.value_texts.get(column.name, {}))):
            yield column.name, code


def _behaviour_faults(service: Service) -> Iterator[str]:
    frame = synthetic.residents(service, _ROWS, seed=1)
    valid, rejected = population.check(frame, service, outcome=True)
    if rejected:
        yield f"invented residents break the contract: row {rejected[0].row}, {rejected[0].column}: {rejected[0].reason}"
        return
    for recipe in service.recipes.values():
        first = training.fit(service, recipe, valid, seed=1)
        scores = score(first.estimator, service, valid)
        # A reduction takes a second and has no chance in it that a service could bring: fitted once.
        again = first if recipe.mitigation else training.fit(service, recipe, valid, seed=1)
        if not np.array_equal(scores, score(again.estimator, service, valid)):
            yield f"recipe '{recipe.name}' gives another model from the same seed"
        if not (np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all()):
            yield f"recipe '{recipe.name}' gives scores that are no probabilities"
        yield from _blindness_faults(service, recipe.name, first.estimator, valid, scores)
        explained = reasons.explain(first.estimator, service, valid.head(20))  # refuses what does not add up
        for language in LANGUAGES:
            reasons.text(service, explained.contributions[0], language)


def _blindness_faults(
    service: Service, recipe: str, estimator: Any, frame: Any, scores: Any
) -> Iterator[str]:
    """The sensitive columns are the audit's: shuffling them must not move a score."""
    hidden = frame.copy()
    for name in service.sensitive_features:
        if name not in service.features:
            hidden[name] = hidden[name].to_numpy()[::-1]
    if not np.array_equal(scores, score(estimator, service, hidden)):
        yield f"recipe '{recipe}' scores people by a sensitive feature it does not declare"
