"""The citizens' API and requests that are not in their form, or come without a login: a clear refusal, and nothing recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.consent.citizen.api_citizen import (
    AINO,
    DEVELOPMENT,
    DOCUMENT,
    EEVA,
    OFFER,
    SCORING,
    Citizen,
    conforms,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from consent.home import Home

PRIVATE = [
    ("GET", "/v1/me/consents"),
    ("POST", "/v1/me/consents"),
    ("GET", "/v1/me/rights"),
    ("POST", "/v1/me/rights"),
    ("POST", "/v1/me/exports"),
    ("GET", "/v1/me/uses"),
    ("GET", f"/v1/me/uses/{SCORING}/why"),
    ("GET", f"/v1/me/receipts/consents/{OFFER}"),
    ("GET", f"/v1/me/receipts/uses/{SCORING}"),
]


@pytest.fixture
def citizen(home: Home, clock: Callable[[], Any]) -> Citizen:
    return Citizen(home, clock)


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_without_a_token_nothing_is_told(citizen: Citizen, method: str, path: str) -> None:
    body = {"json": {"purpose": OFFER, "answer": "given"}} if method == "POST" else {}
    missing = citizen.ask(path, method=method, **body)
    assert missing.status_code == 401
    assert missing.headers["www-authenticate"] == 'Bearer realm="luvalla"'
    for header in (
        "Bearer",
        "Bearer x.y.z",
        "Basic YTpi",
        f"Bearer {citizen.token(AINO, aud='else')}",
        "bearer  ",
        "ä",
    ):
        wrong = citizen.ask(path, method=method, headers={"Authorization": header.encode("utf-8")}, **body)
        assert wrong.status_code == 401
        assert wrong.headers["www-authenticate"].startswith("Bearer ")
        assert wrong.headers["cache-control"] == "no-store"


def test_a_token_that_ran_out_says_so(citizen: Citizen) -> None:
    told = citizen.ask("/v1/me/uses", headers={"Authorization": f"Bearer {citizen.token(AINO, exp=1)}"})
    assert told.status_code == 401
    assert 'error="invalid_token", error_description="expired"' in told.headers["www-authenticate"]


@pytest.mark.parametrize(
    "body",
    [
        {"purpose": OFFER},
        {"answer": "given"},
        {"purpose": OFFER, "answer": "yes"},
        {"purpose": OFFER, "answer": True},
        {"purpose": 1, "answer": "given"},
        {"purpose": "", "answer": "given"},
        {"purpose": OFFER, "answer": "given", "notice_version": "1"},
        {"purpose": OFFER, "answer": "given", "notice_version": True},
        {"purpose": OFFER, "answer": "given", "notice_version": False},
        {"purpose": OFFER, "answer": "given", "notice_version": 1.5},
        {"purpose": OFFER, "answer": "given", "notice_version": 2**53},
        {"purpose": OFFER, "answer": "given", "notice_version": 0},
        {"purpose": OFFER, "answer": "given", "language": "de"},
        {"purpose": OFFER, "answer": "given", "person": "invented-secret"},
        {"purpose": OFFER, "answer": "given", "invented-secret": 1},
        [],
        None,
        "given",
    ],
)
def test_what_is_not_in_the_form_records_nothing_and_is_not_repeated(citizen: Citizen, body: object) -> None:
    answer = citizen.ask("/v1/me/consents", EEVA, method="POST", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert "invented-secret" not in answer.text
    assert {each["status"] for each in citizen.ask("/v1/me/consents", EEVA).json()["consents"]} == {"unknown"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"purpose": NaN}', b"[" * 9000, b'{"answer":"given"']
)
def test_a_broken_body_is_a_clear_422(citizen: Citizen, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = citizen.ask("/v1/me/consents", EEVA, method="POST", content=body, headers=headers)
    assert answer.status_code == 422


def test_a_large_body_is_not_read(citizen: Citizen) -> None:
    def chunks() -> Any:
        for _ in range(40):
            yield b" " * 1024

    for content in (b" " * 20_000, chunks()):
        answer = citizen.ask("/v1/me/consents", EEVA, method="POST", content=content)
        assert answer.status_code == 413


@pytest.mark.parametrize("flag", ["1", "yes", "on", "True", "", "0", "null"])
def test_a_flag_is_true_or_false(citizen: Citizen, flag: str) -> None:
    assert citizen.ask(f"/v1/me/uses/{SCORING}/why?full={flag}", AINO).status_code == 422
    assert citizen.ask(f"/v1/me/uses/{SCORING}/why?full=false", AINO).status_code == 200


@pytest.mark.parametrize(
    "run", ["x", SCORING + "A", SCORING[:-1] + "x", "%00" * 22, "ä" * 22, SCORING + "%0A"]
)
def test_a_run_that_is_none_is_a_422(citizen: Citizen, run: str) -> None:
    assert citizen.ask(f"/v1/me/uses/{run}/why", AINO).status_code == 422


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_told_which_are_allowed(citizen: Citizen, method: str) -> None:
    answer = citizen.ask("/v1/me/consents", AINO, method=method)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=15), inner, max_size=4),
    max_leaves=8,
)
PURPOSE, ANSWER = (
    st.sampled_from([OFFER, DEVELOPMENT, "none", ""]),
    st.sampled_from(["given", "renewed", "refused", "withdrawn"]),
)
REST = {
    "language": st.sampled_from(["fi", "sv", "en", None]),
    "notice_version": st.integers(-1, 3) | st.floats(0, 3) | st.just(2**53),
}
GOOD = st.fixed_dictionaries({"purpose": PURPOSE, "answer": ANSWER}, optional=REST)
NEARLY = st.fixed_dictionaries(
    {},
    optional={"purpose": PURPOSE | JSON, "answer": ANSWER | JSON, "else": JSON}
    | {name: each | JSON for name, each in REST.items()},
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=GOOD | NEARLY | JSON,
    language=st.text(max_size=10).map(lambda text: text.encode("latin-1", "replace")),
    person=st.sampled_from([AINO, EEVA]),
)
def test_whatever_is_sent_the_answer_is_a_declared_one(
    citizen: Citizen, body: object, language: bytes, person: str
) -> None:
    headers = {"Authorization": f"Bearer {citizen.token(person)}", "Accept-Language": language}
    answer = citizen.client.request("POST", "/v1/me/consents", headers=headers, json=body)
    conforms("POST", "/v1/me/consents", answer)
    assert answer.status_code < 500
    schema = {**DOCUMENT["components"]["schemas"]["Answer"], "components": DOCUMENT["components"]}
    valid = jsonschema.Draft202012Validator(schema).is_valid(body)
    assert (answer.status_code == 422) != valid or (valid and answer.status_code in (404, 409))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_whatever_is_asked_for_the_answer_is_a_problem(citizen: Citizen, path: str) -> None:
    answer = citizen.client.get(
        "/v1/me/receipts/consents/" + "".join(f"%{byte:02X}" for byte in path.encode()),
        headers={"Authorization": f"Bearer {citizen.token(AINO)}"},
    )
    assert answer.status_code in (200, 404, 422)
