from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import card, population, synthetic
from models.health_benefit import SERVICE as HEALTH
from models.service import Column, Recipe
from models.testing import STIGMATISING, check_service
from models.youth_exclusion import SERVICE as YOUTH

if TYPE_CHECKING:
    from models.service import Service

SHIPPED = [HEALTH, YOUTH]


@pytest.mark.parametrize("service", SHIPPED, ids=lambda service: service.id)
def test_shipped_services_satisfy_the_conformance_suite(service: Service) -> None:
    check_service(service)


def test_a_small_service_with_every_kind_of_column_satisfies_it(bus_service: Service) -> None:
    check_service(bus_service)


def broken(service: Service) -> dict[str, tuple[Service, str]]:
    recipe = service.recipes["linear"]
    return {
        "need among the features": (
            replace(
                service,
                contract=tuple(
                    replace(c, role="feature") if c.name == "needs_pass" else c for c in service.contract
                ),
                features=(*service.features, "needs_pass"),
            ),
            "need 'needs_pass' is also a feature",
        ),
        "unknown feature": (
            replace(service, features=("height",)),
            "feature 'height' is not a feature column",
        ),
        "no Swedish": (replace(service, offer={"fi": "a", "en": "b"}), "offer has no text in sv"),
        "stigma": (
            replace(service, offer={"fi": "Olet vaarassa", "sv": "a", "en": "b"}),
            "offer says 'vaarassa' in fi",
        ),
        "capacity": (replace(service, capacity=1.0), "capacity is not between 0 and 1"),
        "target": (
            replace(service, recipes={"linear": replace(recipe, target="age")}),
            "learns 'age', which is no outcome column",
        ),
        "recipe name": (replace(service, recipes={"other": recipe}), "stands under the name 'other'"),
        "boosted mitigation": (
            replace(
                service,
                recipes={
                    "x": Recipe(
                        "x",
                        "needs_pass",
                        "",
                        family="boosted",
                        mitigation="equal-tpr",
                        mitigation_features=("sex",),
                    )
                },
            ),
            "has a mitigation, but is not linear",
        ),
        "no family text": (replace(service, family_texts={}), "has no text in fi"),
        "code without words": (
            replace(service, value_texts={"zone": {"A": {"fi": "a", "sv": "a", "en": "a"}}}),
            r"value_texts\[zone\]\[C\] has no text in fi",
        ),
        "words for no feature": (
            replace(service, value_texts={**service.value_texts, "sex": {}}),
            "the values of 'sex' mean, which is no feature",
        ),
        "one purpose": (
            replace(service, purposes=replace(service.purposes, offer=service.purposes.development)),
            "training and offers share one purpose",
        ),
        "id": (replace(service, id="Bus Pass"), "the id is not lower-case"),
        "two people": (
            replace(service, contract=(*service.contract, Column("p2", "identifier", "person", ""))),
            "not exactly one person column",
        ),
    }


CASES = [
    "need among the features", "unknown feature", "no Swedish", "stigma", "capacity", "target", "recipe name",
    "boosted mitigation", "no family text", "code without words", "words for no feature", "one purpose", "id", "two people",
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_service_that_does_not_hold_is_told_why(bus_service: Service, case: str) -> None:
    service, message = broken(bus_service)[case]
    with pytest.raises(AssertionError, match=f"(?s){service.id}.*{message}"):
        check_service(service)


def test_every_case_above_is_tried(bus_service: Service) -> None:
    assert set(CASES) == set(broken(bus_service))


@pytest.mark.parametrize("service", SHIPPED, ids=lambda service: service.id)
def test_no_text_said_to_a_person_names_what_the_model_guesses(service: Service) -> None:
    texts = [
        service.title,
        service.description,
        service.offer,
        *service.feature_texts.values(),
        *service.family_texts.values(),
    ]
    for language, words in STIGMATISING.items():
        said = " ".join(text[language].lower() for text in texts)
        assert not [word for word in words if f" {word}" in f" {said}"]
        assert len({text[language] for text in service.family_texts.values()}) == len(service.family_texts)


@pytest.mark.parametrize("service", SHIPPED, ids=lambda service: service.id)
def test_only_declared_groups_are_features(service: Service) -> None:
    assert not set(service.sensitive_features) & set(service.features)
    assert service.correction_features == ()
    assert ("female" in service.features) == (service.id == "health-benefit")


def test_the_contracts_digest_follows_what_is_promised() -> None:
    digest = YOUTH.contract_digest()
    assert digest.startswith("sha256:")
    assert YOUTH.contract_digest() == digest
    reworded = replace(YOUTH, offer={"fi": "x", "sv": "x", "en": "x"})
    assert reworded.contract_digest() == digest
    others = [
        replace(YOUTH, capacity=0.3),
        replace(YOUTH, features=YOUTH.features[:-1]),
        replace(YOUTH, need=replace(YOUTH.need, rule="other")),
        replace(
            YOUTH, contract=tuple(replace(c, high=99) if c.name == "read12" else c for c in YOUTH.contract)
        ),
    ]
    assert len({digest, *(other.contract_digest() for other in others)}) == 5


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 60), seed=st.integers(0, 1_000))
def test_invented_residents_keep_the_contract(n: int, seed: int) -> None:
    for service in SHIPPED:
        frame = synthetic.residents(service, n, seed=seed)
        assert list(frame.columns) == [column.name for column in service.contract]
        valid, rejected = population.check(frame, service, outcome=True)
        assert (len(valid), rejected) == (n, ())


def test_a_model_card_says_what_is_known_and_what_is_not() -> None:
    made = card.Card(
        service=HEALTH,
        name="luvalla-health-benefit",
        version="3",
        digest="sha256:ab",
        recipe="need-equal-tpr",
        metrics={"training_auc": 0.81},
        data_digest="sha256:cd",
        notes=("One model from 3 members.",),
    )
    page = card.to_markdown(made)
    for text in (
        "version 3",
        "sha256:ab",
        "worst fifth",
        "Not audited.",
        "it must not run",
        "training_auc: 0.81",
        "One model",
    ):
        assert text in page
    assert card.to_json(made) == card.to_json(made)
    assert card.document(made)["sensitive_features"]["used_at_scoring"] == []
    judged = card.to_markdown(
        replace(made, audit=("Missed need of men: passed.",), decision="Accepted until 2027.")
    )
    assert "Not audited" not in judged
    assert "Accepted until 2027." in judged
