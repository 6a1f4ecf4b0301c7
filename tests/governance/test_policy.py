"""The policy: the shipped file says what the issue's table says, and a file that says something else is met well."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from audits.finding import Direction, Role
from governance import policy
from governance.errors import PolicyError, UnknownProfile
from models import health_benefit, youth_exclusion

TEXT = policy.shipped().decode()


@pytest.fixture(scope="module")
def shipped():
    return policy.load(policy.shipped())


def edited(old, new):
    assert TEXT.count(old) >= 1, old
    return TEXT.replace(old, new, 1).encode()


def table(profile):
    return {line.metric: (line.direction.value, line.limit, line.role.value) for line in profile.lines}


def test_the_youth_profile_is_the_issues_table(shipped):
    assert table(shipped.profiles["youth"]) == {
        "tpr_gap": (">=", -0.10, "decides"),
        "observed_expected": ("<=", 1.25, "decides"),
        "ppv_gap": (">=", -0.10, "decides"),
        "selection_ratio": (">=", 0.80, "screens"),
        "fpr_gap": ("within", 0.10, "described"),
        "levelling_down": ("<=", 0.05, "decides"),
    }


def test_the_health_profile_is_the_issues_table(shipped):
    assert table(shipped.profiles["health-benefit"]) == {
        "tpr_gap": (">=", -0.10, "decides"),
        "observed_expected": ("<=", 1.25, "decides"),
        "ppv_gap": (">=", -0.10, "screens"),
        "selection_ratio": (">=", 0.80, "decides"),
        "fpr_gap": ("within", 0.10, "described"),
        "other_need_tpr_gap": (">=", -0.10, "screens"),
        "levelling_down": ("<=", 0.05, "decides"),
    }


def test_the_profile_of_checks_and_sanctions_is_the_issues_table(shipped):
    assert table(shipped.profiles["check"]) == {
        "fpr_gap": ("within", 0.10, "decides"),
        "fdr_gap": ("within", 0.10, "decides"),
        "selection_ratio": ("within", 0.80, "decides"),
        "observed_expected": ("within", 0.80, "decides"),
        "tpr_gap": (">=", -0.10, "described"),
    }


def test_every_limit_says_why_and_where_it_comes_from(shipped):
    for profile in shipped.profiles.values():
        for line in profile.lines:
            assert len(line.why) > 40, line
            assert line.source, line


def test_the_groups_are_the_services_own(shipped):
    for service in (health_benefit.SERVICE, youth_exclusion.SERVICE):
        groups = shipped.groups(service.id)
        assert shipped.profile(service.id).kind == service.kind
        for attribute, names in groups.deciding.items():
            declared = service.column(attribute).categories
            assert set(names) | {"unknown"} >= set(declared) >= set(names)
        assert set(groups.deciding) | set(groups.screened) == set(service.sensitive_features)


def test_deciding_lines_are_named_for_each_group(shipped):
    lines = shipped.deciding_lines("youth-talk")
    assert len(lines) == policy.MAX_DECIDING_LINES
    assert {line.group for line in lines if line.attribute == "origin"} == {
        "Asian",
        "Black",
        "Hispanic",
        "majority",
    }
    assert len(shipped.deciding_lines("health-benefit")) == 16


def test_screened_attributes_screen_each_of_their_groups(shipped):
    screened = [line for line in shipped.lines("health-benefit") if line.attribute == "age_group"]
    assert {(line.metric, line.group, line.role) for line in screened} == {
        ("tpr_gap", None, Role.SCREENS),
        ("levelling_down", None, Role.SCREENS),
    }


def test_a_two_sided_line_on_two_groups_is_drawn_once():
    check = edited(
        "[services.health-benefit]",
        '[services.income-check]\nprofile = "check"\ndeciding = { sex = ["female", "male"] }\n'
        'why = "w"\nsource = "s"\n\n[services.health-benefit]',
    )
    lines = [line for line in policy.load(check).lines("income-check") if line.metric == "fpr_gap"]
    assert [(line.group, line.direction) for line in lines] == [("female", Direction.WITHIN)]


def test_acceptance_is_as_the_issue_says(shipped):
    accept = shipped.board.accept
    assert (accept.allowed, accept.leaning, accept.exclude_times_limit, accept.months_at_most) == (
        True,
        "for",
        2,
        12,
    )


def test_the_digest_is_over_the_exact_bytes(shipped):
    assert policy.load(TEXT.encode()).digest == shipped.digest
    assert policy.load(edited("# The policy", "# A policy")).digest != shipped.digest


def test_a_file_is_read_as_its_bytes(tmp_path, shipped):
    path = tmp_path / "policy.toml"
    path.write_bytes(policy.shipped())
    assert policy.load(path) == shipped
    with pytest.raises(PolicyError, match="cannot be read: No such file"):
        policy.load(tmp_path / "none.toml")


def test_an_unknown_service_names_near_ones(shipped):
    with pytest.raises(UnknownProfile, match="says nothing of the service 'health-benefits'") as caught:
        shipped.profile("health-benefits")
    assert "health-benefit" in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        (
            "screen_others",
            "screen_other",
            r"Unknown key profiles\.youth\.line\[1\]\.screen_other",
            "'screen_others'",
        ),
        ('name = "luvalla"', 'nam = "luvalla"', "name is missing", "'nam'"),
        ("[rule]", "extra = 1\n[rule]", "Unknown key extra", ""),
        ('metric = "tpr_gap"', 'metric = "tpr"', "expected 'tpr_gap' or", "Did you mean 'tpr_gap'"),
        ('role = "decides"', 'role = "decide"', "role is 'decide'", "'decides'"),
        ("limit = -0.10", "limit = nan", "limit is nan", ""),
        ("limit = -0.10", "limit = -1.10", "expected -1.0 to 1.0", ""),
        ("limit = -0.10", 'limit = "-0.10"', "is str, expected a number", ""),
        ("limit = -0.10", "limit = true", "is bool, expected a number", ""),
        ("limit = 1.25", "limit = 0", "expected 0.01 to 100", ""),
        ("months_at_most = 12", "months_at_most = 13", "expected 1 to 12", ""),
        ('leaning = "for"', 'leaning = "against"', "expected 'for'", ""),
        ("exclude_times_limit = 2.0", "exclude_times_limit = 3.0", "expected 1 to 2", ""),
        ("format = 1", "format = 2", "format is 2", ""),
        ("dated = 2026-11-24", 'dated = "2026-11-24"', "expected a date", ""),
        ("dated = 2026-11-24", "dated = 2026-11-24T00:00:00Z", "expected a date", ""),
        ('profile = "youth"', 'profile = "young"', "profile is 'young'", ""),
        ('screened = ["income_group"]', 'screened = ["sex"]', "both decides on and screens", ""),
        ('sex = ["female", "male"]', "sex = []", "an empty one", ""),
        ('sex = ["female", "male"]', 'sex = ["male", "male"]', "twice", ""),
        ('["Asian", "Black"', '["Asian", "x", "Black"', "28 deciding lines, at most 24", "fewer lines"),
        ('why = "Missed need', 'why = ""\n# Missed need', "is empty", ""),
        ("[profiles.youth]", "[[profiles.youth]]", "not TOML|expected a table", ""),
        ("format = 1", "format = = 1", "not TOML", ""),
        (
            'required_checks = ["data_quality", "performance", "fairness", "explainability"]',
            "required_checks = []",
            "an empty one",
            "",
        ),
    ],
)
def test_a_file_that_is_not_a_policy_says_where(old, new, message, hint):
    with pytest.raises(PolicyError, match=message) as caught:
        policy.load(edited(old, new))
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_profile_without_a_deciding_line_is_no_profile():
    with pytest.raises(PolicyError, match="has no deciding line"):
        policy.load(TEXT.replace('role = "decides"', 'role = "screens"').encode())


def test_a_policy_without_services_is_no_policy():
    with pytest.raises(PolicyError, match=r"services is missing"):
        policy.load(TEXT.partition("[services.youth-talk]")[0].encode())


def test_an_empty_file_is_no_policy():
    with pytest.raises(PolicyError, match="format is missing"):
        policy.load(b"")


def test_bytes_that_are_not_text_are_no_policy():
    with pytest.raises(PolicyError, match="not TOML"):
        policy.load(b"\xff\xfe")


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ((2026, 11, 24), 12, (2027, 11, 24)),
        ((2027, 10, 31), 4, (2028, 2, 29)),
        ((2026, 12, 1), 1, (2027, 1, 1)),
    ],
)
def test_months_end_on_the_same_day_or_the_months_last(start, months, end):
    assert policy.months_after(datetime(*start, tzinfo=UTC), months) == datetime(*end, tzinfo=UTC)
