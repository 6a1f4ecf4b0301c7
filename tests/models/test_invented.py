from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.invented import _CHECK_CHARACTERS, is_invented, person_ids


@settings(max_examples=30, deadline=None)
@given(n=st.integers(0, 200), seed=st.integers(0, 2**32))
def test_codes_are_well_formed_artificial_and_different(n: int, seed: int) -> None:
    codes = person_ids(n, seed=seed)
    assert len(codes) == n == len(set(codes))
    assert all(is_invented(code) for code in codes)


def test_a_hundred_thousand_people_get_different_codes() -> None:
    assert len(set(person_ids(100_000, seed=5))) == 100_000


def test_the_same_seed_gives_the_same_codes() -> None:
    assert person_ids(50, seed=9) == person_ids(50, seed=9)
    assert person_ids(50, seed=9) != person_ids(50, seed=10)


@pytest.mark.parametrize(
    "code",
    [
        "131052-308T",  # the agency's own example of a real code's form: number 308 may be a person's
        "210583-9954",  # wrong check character
        "210583-995",
        "21058X-9953",
        "",
    ],
)
def test_other_codes_are_not_taken_for_invented(code: str) -> None:
    assert not is_invented(code)


def test_check_character_of_the_agencys_published_example() -> None:
    assert _CHECK_CHARACTERS[131052308 % 31] == "T"


def test_more_codes_than_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="there are 2922000"):
        person_ids(3_000_000, seed=1)
