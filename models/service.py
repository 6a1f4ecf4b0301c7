"""What a proactive service declares: its purposes, data contract, features, need, recipes, offer and texts.

Declarations only, and cheap to import: no pandas, no scikit-learn. A service says *what* is wanted;
:mod:`models.population` checks rows against it and :mod:`models.training` fits it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import rfc8785

Texts = Mapping[str, str]
"""One text per language: ``{"fi": ..., "sv": ..., "en": ...}``, every language of `LANGUAGES`."""

LANGUAGES: tuple[str, ...] = ("fi", "sv", "en")

ColumnKind = Literal["identifier", "number", "amount", "flag", "category"]
ColumnRole = Literal["person", "family", "feature", "sensitive", "outcome"]
Mitigation = Literal["equal-tpr", "equal-selection"]
Family = Literal["linear", "boosted"]
ColumnTiming = Literal["", "before", "after"]
Monotone = Literal["increasing", "decreasing"]


@dataclass(frozen=True)
class Column:
    """One column of a population file.

    Args:
        name: The column's name in the file.
        kind: ``identifier`` (text, never empty), ``number`` (any real number), ``amount`` (a skewed number >= 0;
            linear models see log(1 + value)), ``flag`` (0 or 1), ``category`` (one of `categories`).
        role: ``person`` and ``feature`` must be in every file; ``family``, ``sensitive`` and ``outcome`` are
            needed for training and audit only, and are not read for scoring (data minimisation).
        description: English, one sentence, with the unit.
        low: Smallest allowed value (inclusive); None means no limit.
        high: Largest allowed value (inclusive); None means no limit.
        categories: Allowed values of a category.
        nullable: Whether an empty cell means "unknown" rather than a rejected row.
        known: ``before``: known when the decision is made; ``after``: only afterwards, so that no feature may be; "": not
            declared.
    """

    name: str
    kind: ColumnKind
    role: ColumnRole
    description: str
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    nullable: bool = False
    known: ColumnTiming = ""


@dataclass(frozen=True)
class ServicePurposes:
    """The ids of the purposes people say yes or no to (consent/purposes).

    Args:
        development: Covers training and audit.
        offer: Covers scoring and human review.
    """

    development: str
    offer: str


@dataclass(frozen=True)
class Need:
    """A measure of who needs the service, declared before any score is seen.

    Args:
        column: A 0/1 column of the contract; 1 means in need, empty means unknown.
        description: What it measures, for board and citizen.
        rule: How the column was made, exactly enough to make it again.
        reason: Of the declared measure: why this one and not another, per language, for board and citizen. An audit says so
            where it is missing.
    """

    column: str
    description: Texts
    rule: str
    reason: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """One way to train a version.

    Args:
        name: Short name, such as ``need-equal-tpr``.
        target: The 0/1 column the model learns.
        description: English, one sentence for the board.
        family: ``linear`` (logistic regression) or ``boosted`` (histogram gradient boosting).
        mitigation: None; ``equal-tpr`` (fairlearn's reduction to equal true positive rates over
            `mitigation_features`); ``equal-selection`` (to equal selection rates). Training only: the deployed
            model never sees these columns.
        mitigation_features: Sensitive columns whose combinations form the reduction's groups.
    """

    name: str
    target: str
    description: str
    family: Family = "linear"
    mitigation: Mitigation | None = None
    mitigation_features: tuple[str, ...] = ()


@dataclass(frozen=True)
class PriorRule:
    """How people were chosen before there was a model: the first of the baselines that a version is held against.

    Args:
        feature: A number, amount or flag of the service's features by which people were put in order.
        first: Whether those with the ``lowest`` or the ``highest`` value came first. A person whose value is unknown comes last.
        description: English, one sentence for the board.
    """

    feature: str
    first: Literal["lowest", "highest"]
    description: str


@dataclass(frozen=True)
class Service:
    """A proactive service: what it is for and everything a model of it may use.

    Args:
        id: Such as ``health-benefit``.
        title: Name, per language.
        description: What the service does for the person, per language.
        kind: ``assistive`` (an offer of help) or ``check`` (a check or a sanction); the policy judges them differently.
        purposes: Ids of the consent purposes.
        contract: Every column a population file may hold. Columns outside it are never read.
        features: Names of the columns the model may use, in the model's order.
        sensitive_features: Names of the columns the audit groups people by. Apart from the features: a column may be
            audited without being used.
        capacity: Share of people (0..1) the service can reach: the model's threshold is this quantile of its scores.
        need: The declared measure of need.
        other_needs: Further measures of need, against label bias.
        recipes: Ways to train a version, by name, in the order they are told.
        feature_texts: For each feature a short noun phrase per language, in words that do not stigmatise.
        feature_families: For each feature the family of reasons it belongs to: related features are explained
            together, since a model may split one circumstance between them with opposite signs.
        family_texts: For each family a sentence per language, said to the person.
        offer: The offer's text, per language.
        registered_model: Name in the MLflow registry.
        sensitive_as_feature: Sensitive column -> the feature that says the same: a declared use of it by the model. Age groups
            and the like, which a feature says more finely, belong here too.
        correction_features: Sensitive columns a mitigation needs at scoring (a processing of its own). None here.
        simulated: What of the data is invented, said wherever figures are shown.
        source: Where the shipped rows come from, and their licence.
        value_texts: For a feature whose values are codes (a flag, a category) its words per language for each code, shown to the
            person in place of the code. Codes are texts: ``"0"`` and ``"1"`` for a flag.
        statistics_basis: By what law a city may count, by group, the people who did not consent
            (docs/decisions/consent-counts.md); "": they are not counted.
        population_shares: For a sensitive feature, each group's share of the people the service is for (adding up to 1), against
            which an audit holds its rows.
        monotone: Number, amount or flag feature -> ``increasing`` or ``decreasing``: more of it never lowers (raises) anybody's
            score, whatever else is true of them. Boosted recipes are trained to keep it; of every version the audit checks it
            on the model itself, and a violation fails.
        prior_rule: How people were chosen before; None: nobody was, or nobody knows, and chance stands in for it.
    """

    id: str
    title: Texts
    description: Texts
    kind: Literal["assistive", "check"]
    purposes: ServicePurposes
    contract: tuple[Column, ...]
    features: tuple[str, ...]
    sensitive_features: tuple[str, ...]
    capacity: float
    need: Need
    other_needs: tuple[Need, ...]
    recipes: Mapping[str, Recipe]
    feature_texts: Mapping[str, Texts]
    feature_families: Mapping[str, str]
    family_texts: Mapping[str, Texts]
    offer: Texts
    registered_model: str
    sensitive_as_feature: Mapping[str, str] = field(default_factory=dict)
    correction_features: tuple[str, ...] = ()
    simulated: tuple[str, ...] = ()
    source: str = ""
    value_texts: Mapping[str, Mapping[str, Texts]] = field(default_factory=dict)
    statistics_basis: str = ""
    population_shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    monotone: Mapping[str, Monotone] = field(default_factory=dict)
    prior_rule: PriorRule | None = None
    _by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {column.name: column for column in self.contract})

    def column(self, name: str) -> Column:
        """The contract's column of that name.

        Raises:
            KeyError: The contract has no such column.
        """
        return self._by_name[name]

    @property
    def person_column(self) -> str:
        """Name of the column that identifies a person."""
        return next(column.name for column in self.contract if column.role == "person")

    @property
    def family_column(self) -> str | None:
        """Name of the column whose people are never split between folds, or None: each person alone."""
        return next((column.name for column in self.contract if column.role == "family"), None)

    def columns(self, *, outcome: bool) -> tuple[Column, ...]:
        """Columns a file must hold: all of the contract for training and audit, person and features for scoring."""
        if outcome:
            return self.contract
        return tuple(c for c in self.contract if c.role == "person" or c.name in self.features)

    def sensitive_use(self) -> str:
        """In plain English, which of the sensitive features the model itself looks at, and which it does not."""
        used = [f"{name} (as {feature})" for name, feature in self.sensitive_as_feature.items()]
        unused = [name for name in self.sensitive_features if name not in self.sensitive_as_feature]
        told = [f"The model looks at {', '.join(used)}: declared." if used else ""]
        told.append(f"It does not look at {', '.join(unused)}." if unused else "")
        return " ".join(text for text in told if text)

    def contract_digest(self) -> str:
        """Digest of the data contract, bound by a certificate: ``sha256:`` and 64 hex digits.

        SHA-256 of the RFC 8785 form of the columns, features, sensitive features, need rules, capacity and, where it declares
        any, the features its models are monotone in. Numbers are written as text, so that no reader's floating point matters.
        """

        def limit(value: float | None) -> str | None:
            return None if value is None else repr(float(value))

        document: dict[str, object] = {
            "capacity": repr(self.capacity),
            "columns": [
                {
                    "categories": list(c.categories),
                    "high": limit(c.high),
                    "kind": c.kind,
                    "low": limit(c.low),
                    "name": c.name,
                    "nullable": c.nullable,
                    "role": c.role,
                    **({"known": c.known} if c.known else {}),
                }
                for c in self.contract
            ],
            "correction_features": list(self.correction_features),
            "features": list(self.features),
            "needs": [{"column": n.column, "rule": n.rule} for n in (self.need, *self.other_needs)],
            "sensitive_features": list(self.sensitive_features),
            "service": self.id,
            "v": 1,
        }
        if self.monotone:
            document["monotone"] = dict(self.monotone)
        return "sha256:" + hashlib.sha256(rfc8785.dumps(document)).hexdigest()
