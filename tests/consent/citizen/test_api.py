"""The citizens' API: the same answers as the command line, one's own only, strict, and true to its OpenAPI document."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwk, jwt

from consent import words
from consent.tlog.verify import verify_receipt
from consent.web import identity, problems
from consent.web.api import Service
from consent.web.app import create_app, inner_app

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette prefers httpx2 (shared facts, section 8)
    from fastapi.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from consent.home import Home

OFFER, DEVELOPMENT = "health-benefit.offer", "health-benefit.development"
AINO, BERTIL, CARITA, DAVID, EEVA = (
    f"invented-{name}" for name in ("aino", "bertil", "carita", "david", "eeva")
)
SCORING, TRAINING, NOBODYS = "AAECAwQFBgcICQoLDA0ODw", "--8AAQIDBAUGBwgJCgsMDQ", "AAAAAAAAAAAAAAAAAAAAAA"
KEY = jwk.ECKey.generate_key("P-256", parameters={"kid": "test"})
IDENTITY = identity.Identity(
    identity.FixedKeys(identity.parse_jwks(json.dumps({"keys": [KEY.as_dict(private=False)]}).encode())),
    "https://id.invalid",
    "luvalla",
)
DOCUMENT = inner_app(None).openapi()
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


class Citizen:
    """A client that checks every answer against the OpenAPI document."""

    def __init__(self, home: Home, clock: Callable[[], Any]) -> None:
        self.client = TestClient(create_app(Service(home, IDENTITY, clock)), raise_server_exceptions=False)
        self.clock = clock

    def token(self, person: str, **changes: Any) -> str:
        now = int(self.clock().timestamp())
        claims = {"iss": "https://id.invalid", "aud": "luvalla", "exp": now + 60, "sub": person} | changes
        return jwt.encode({"alg": "ES256", "kid": "test"}, claims, KEY, algorithms=["ES256"])

    def ask(
        self, path: str, person: str | None = None, *, method: str = "GET", language: str = "en", **more: Any
    ) -> Any:
        headers = {"Accept-Language": language} | more.pop("headers", {})
        if person is not None:
            headers["Authorization"] = f"Bearer {self.token(person)}"
        answer = self.client.request(method, path, headers=headers, **more)
        conforms(method, path, answer)
        return answer

    def say(self, person: str, answer: str, purpose: str = OFFER, **more: Any) -> Any:
        headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
        body = {"purpose": purpose, "answer": answer} | more
        return self.ask("/v1/me/consents", person, method="POST", json=body, headers=headers)


@pytest.fixture
def citizen(home: Home, clock: Callable[[], Any]) -> Citizen:
    return Citizen(home, clock)


def template_of(path: str) -> str | None:
    parts = path.partition("?")[0].split("/")
    for template in DOCUMENT["paths"]:
        wanted = template.split("/")
        if len(wanted) == len(parts) and all(
            w.startswith("{") or w == p for w, p in zip(wanted, parts, strict=True)
        ):
            return template
    return None


def conforms(method: str, path: str, answer: Any) -> None:
    """Hold an answer against the document: its status is declared, its media type and its body are the declared ones."""
    media = answer.headers["content-type"].partition(";")[0]
    if answer.status_code >= 400:
        assert media == "application/problem+json"
        problem = answer.json()
        assert problem["type"].startswith("urn:luvalla:problem:")
        assert problem["status"] == answer.status_code
        assert answer.headers["content-language"] in words.LANGUAGES
    template = template_of(path)
    operation = DOCUMENT["paths"].get(template, {}).get(method.lower())
    if operation is None:
        assert answer.status_code in (404, 405)
        return
    declared = operation["responses"][str(answer.status_code)]["content"]
    assert media in declared
    if media.endswith("json"):
        schema = {**declared[media]["schema"], "components": DOCUMENT["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())


def test_the_document_is_an_openapi_that_promises_only_what_is_kept() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            assert (operation.get("security") == [{"citizen": []}]) == path.startswith("/v1/me")
            assert ("401" in operation["responses"]) == path.startswith("/v1/me")
            for status, response in operation["responses"].items():
                media = set(response["content"])
                assert (media == {"application/problem+json"}) == (status >= "400")
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]


def test_the_published_document_is_this_one(luvalla: Callable[..., Any]) -> None:
    file = Path(__file__).parents[3] / "docs" / "api-citizen" / "openapi.json"
    remake = "luvalla serve citizen --openapi > docs/api-citizen/openapi.json"
    assert json.loads(file.read_text(encoding="utf-8")) == DOCUMENT, remake
    assert luvalla("serve", "citizen", "--openapi", at=Path("/nowhere")).json == DOCUMENT


def test_my_consents(citizen: Citizen) -> None:
    told = citizen.ask("/v1/me/consents", DAVID).json()["consents"]
    offer = next(each for each in told if each["purpose"] == OFFER)
    assert (offer["status"], offer["permits"], offer["status_words"]) == (
        "withdrawn",
        False,
        "Consent withdrawn",
    )
    assert [event["status"] for event in offer["history"]] == ["given", "withdrawn"]


@pytest.mark.parametrize(
    ("language", "sentence"), [("fi", "Kieltäydytty"), ("sv-FI", "Samtycke nekat"), ("en", "Consent refused")]
)
def test_answers_come_in_the_readers_language(citizen: Citizen, language: str, sentence: str) -> None:
    answer = citizen.ask("/v1/me/consents", CARITA, language=language)
    assert sentence in answer.text
    assert answer.headers["content-language"] == language[:2]
    assert "Accept-Language" in answer.headers["vary"]


def test_give_withdraw_and_give_again(citizen: Citizen) -> None:
    for said in ("given", "withdrawn", "given"):
        answer = citizen.say(EEVA, said)
        assert answer.status_code == 201
        assert answer.json()["status"] == said
        citizen.clock.forward(seconds=5)
    assert citizen.say(EEVA, "renewed").json()["status"] == "renewed"


@pytest.mark.parametrize(
    ("person", "said", "recorded"),
    [
        (AINO, "refused", "withdrawn"),
        (EEVA, "withdrawn", "refused"),
        (EEVA, "refused", "refused"),
        (AINO, "withdrawn", "withdrawn"),
    ],
)
def test_a_no_always_counts(citizen: Citizen, person: str, said: str, recorded: str) -> None:
    first = citizen.say(person, said, key="0f7d")
    assert (first.status_code, first.json()["status"]) == (201, recorded)
    again = citizen.say(person, said, key="0f7d")
    assert (again.status_code, again.json()["index"], again.json()["replayed"]) == (
        200,
        first.json()["index"],
        True,
    )


def test_what_cannot_follow_is_refused_with_the_state(citizen: Citizen) -> None:
    for person, said, state in (
        (AINO, "given", "Consent given"),
        (DAVID, "withdrawn", "Consent withdrawn"),
        (EEVA, "renewed", "No answer"),
    ):
        answer = citizen.say(person, said)
        assert answer.status_code == 409
        assert state in answer.json()["detail"]


def test_objecting_leaves_me_out_until_i_withdraw_it(citizen: Citizen) -> None:
    for right, sentence in (("objection", "Objection"), ("objection-withdrawn", "Objection withdrawn")):
        answer = citizen.ask("/v1/me/rights", AINO, method="POST", json={"right": right})
        assert answer.status_code == 201
        assert (answer.json()["right"], answer.json()["right_words"]) == (right, sentence)
    unknown = {"right": "objection", "purposes": ["nothing.known"]}
    assert citizen.ask("/v1/me/rights", AINO, method="POST", json=unknown).status_code == 404
    lifted = citizen.ask("/v1/me/rights", AINO, method="POST", json={"right": "restriction-lifted"})
    assert lifted.status_code == 422


def test_a_repeated_right_is_recorded_once_and_listed(citizen: Citizen) -> None:
    def ask(person: str, **said: Any) -> Any:
        return citizen.ask(
            "/v1/me/rights", person, method="POST", json=said, headers={"Idempotency-Key": "k"}
        )

    first = ask(AINO, right="restriction", processing=["scoring"])
    again = ask(AINO, right="restriction", processing=["scoring"])
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["index"], again.json()["replayed"]) == (first.json()["index"], True)
    assert ask(AINO, right="objection").status_code == 409
    assert ask(BERTIL, right="objection").status_code == 201
    for language, words_ in (("fi", "Käsittelyn rajoitus"), ("sv", "Begränsning av behandling")):
        told = citizen.ask("/v1/me/rights", AINO, language=language).json()
        assert [each["right_words"] for each in told["rights"]] == [words_]
    assert [(each["purpose"], each["processing"]) for each in told["standing"]] == [(OFFER, "scoring")]
    assert citizen.ask("/v1/me/rights", EEVA).json() == {"rights": [], "standing": []}


def test_a_correction_names_my_own_wrong_entry(citizen: Citizen) -> None:
    def correct(person: str, index: int | None) -> Any:
        said = {"right": "rectification", "corrects": index}
        return citizen.ask("/v1/me/rights", person, method="POST", json=said).status_code

    [index] = [
        each["history"][0]["index"]
        for each in citizen.ask("/v1/me/consents", AINO).json()["consents"]
        if each["purpose"] == OFFER
    ]
    assert (correct(AINO, None), correct(BERTIL, index), correct(AINO, index)) == (422, 422, 201)
    told = citizen.ask("/v1/me/consents", AINO).json()["consents"]
    assert [each["status"] for each in told if each["purpose"] == OFFER] == ["invalidated"]


def test_an_export_is_whole_recorded_and_given_again_for_the_same_key(citizen: Citizen) -> None:
    schema = Path(__file__).parents[3] / "docs" / "schemas" / "export.schema.json"
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))

    def export(person: str, **said: Any) -> Any:
        return citizen.ask(
            "/v1/me/exports", person, method="POST", json=said, headers={"Idempotency-Key": "e"}
        )

    first, again = export(BERTIL), export(BERTIL)
    assert (first.status_code, again.status_code) == (201, 200)
    for answer in (first, again):
        validator.validate(answer.json())
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["cache-control"] == "no-store"
    assert first.json()["content"] == again.json()["content"]
    use = first.json()["content"]["uses"][-1]
    assert (use["result"], use["why"]["score"], len(use["why"]["table"])) == ("not-selected", "0.2", 2)
    root = citizen.ask("/v1/trust-root").content
    for receipt in [each for part in first.json()["receipts"].values() for each in part]:
        assert verify_receipt(json.dumps(receipt).encode(), root).pinned is False
    moved = citizen.ask("/v1/me/exports", BERTIL, method="POST", json={"right": "portability"})
    validator.validate(moved.json())
    assert BERTIL not in first.text + moved.text
    listed = citizen.ask("/v1/me/rights", BERTIL).json()["rights"]
    assert [(each["right"], each["answer"]) for each in listed] == [
        ("access", "granted"), ("portability", "granted"),
    ]  # fmt: skip
    assert citizen.ask("/v1/me/exports", EEVA, method="POST", json={}).status_code == 404


def test_a_receipt_as_a_page_and_as_text(citizen: Citizen) -> None:
    for path in (f"/v1/me/receipts/consents/{OFFER}", f"/v1/me/receipts/uses/{SCORING}"):
        kind = "consent" if "consents" in path else "use"
        for form, media, suffix in (("html", "text/html", "html"), ("text", "text/plain", "txt")):
            answer = citizen.ask(f"{path}?format={form}", AINO, headers={"Accept-Language": "sv"})
            assert answer.status_code == 200
            assert answer.headers["content-type"] == f"{media}; charset=utf-8"
            assert answer.headers["content-language"] == "sv"
            assert answer.headers["cache-control"] == "no-store"
            named = f'attachment; filename="luvalla-{kind}-receipt.{suffix}"'
            assert answer.headers["content-disposition"] == named
            assert "Kvitto på" in answer.text
            assert AINO not in answer.text
        assert citizen.ask(f"{path}?format=pdf", AINO).status_code == 422
        assert citizen.ask(f"{path}?format=json", AINO).json()["type"] == kind


def test_what_was_known_then(citizen: Citizen) -> None:
    """David said yes, and an hour later no."""
    [offer] = [e for e in citizen.ask("/v1/me/consents", DAVID).json()["consents"] if e["purpose"] == OFFER]
    said_yes, said_no = offer["history"]
    for when in (f"at={said_yes['at']}", f"as_of_index={said_no['index']}"):
        told = citizen.ask(f"/v1/me/consents?{when}", DAVID).json()["consents"]
        assert [e["status"] for e in told if e["purpose"] == OFFER] == ["given"]
        assert citizen.ask(f"/v1/me/uses?{when}", DAVID).json()["uses"] == []
    citizen.ask("/v1/me/rights", DAVID, method="POST", json={"right": "objection"})
    assert citizen.ask(f"/v1/me/rights?as_of_index={said_no['index']}", DAVID).json()["rights"] == []
    assert len(citizen.ask("/v1/me/rights", DAVID).json()["rights"]) == 1
    for wrong in ("at=2026-13-45T00:00:00Z", "at=yesterday", "as_of_index=-1", "as_of_index=x"):
        for path in ("consents", "uses", "rights"):
            assert citizen.ask(f"/v1/me/{path}?{wrong}", DAVID).status_code == 422


def test_one_persons_key_is_not_anothers(citizen: Citizen) -> None:
    assert citizen.say(EEVA, "given", key="1").status_code == 201
    assert citizen.say("invented-fredrik", "given", key="1").status_code == 201
    assert citizen.say(EEVA, "given", DEVELOPMENT, key="1").status_code == 409


def test_a_notice_that_changed_meanwhile_records_nothing(citizen: Citizen) -> None:
    assert citizen.say(EEVA, "given", notice_version=2).json()["type"].endswith("notice-changed")
    assert citizen.say(EEVA, "given", notice_version=1.0, language="sv").status_code == 201  # JSON has one 1


def test_my_uses_and_what_left_me_out(citizen: Citizen) -> None:
    told = citizen.ask("/v1/me/uses", AINO).json()
    assert [use["run"] for use in told["uses"]] == [SCORING, TRAINING]
    assert told["not_proved"][0] == "No ledger can show a use that was not recorded."
    (refused,) = [use for use in citizen.ask("/v1/me/uses", CARITA).json()["uses"] if use["run"] == SCORING]
    assert refused["left_out_because"] == "Left out because you said no"
    assert citizen.ask("/v1/me/uses", EEVA).json()["uses"] == []


def test_why(citizen: Citizen) -> None:
    short = citizen.ask(f"/v1/me/uses/{SCORING}/why", BERTIL).json()
    assert short["strongest"][0]["sentence"] == "visits last year (0): spoke against a proposal this time"
    assert short["table"] is None
    full = citizen.ask(f"/v1/me/uses/{SCORING}/why?full=true", BERTIL).json()
    assert [reason["feature"] for reason in full["table"]] == ["visits", "distance"]
    assert (full["score"], full["threshold"]) == (0.2, 0.42)
    assert "privacy@city.example" in full["contest"]
    assert citizen.ask(f"/v1/me/uses/{TRAINING}/why", AINO).json()["explained"] is False


def test_a_receipt_verifies_with_what_is_published(citizen: Citizen) -> None:
    root = citizen.ask("/v1/trust-root").content
    for path in (
        f"/v1/me/receipts/consents/{OFFER}",
        f"/v1/me/receipts/uses/{SCORING}",
        f"/v1/me/receipts/uses/{TRAINING}",
    ):
        answer = citizen.ask(path, AINO)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert verify_receipt(answer.content, root).pinned is False
        assert AINO not in answer.text


def test_what_is_public_needs_no_token(citizen: Citizen, home: Home) -> None:
    assert citizen.ask("/healthz").json() == {"status": "ok"}
    assert citizen.ask("/v1/checkpoint").content == home.checkpoint.read_bytes()
    assert citizen.ask("/v1/trust-root").content == home.trust_root.read_bytes()
    assert len(citizen.ask("/v1/purposes").json()["purposes"]) == 2
    assert citizen.client.get("/openapi.json").json() == DOCUMENT
    for page in ("/docs", "/redoc", "/", "/v1", "/v1/me", "/v1/purposes/"):
        assert citizen.ask(page).status_code == 404


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


def test_nobody_sees_anothers(citizen: Citizen) -> None:
    for path in ("/v1/me/consents", "/v1/me/uses"):
        mine, other = citizen.ask(path, AINO), citizen.ask(f"{path}?person={AINO}&sub={AINO}", EEVA)
        assert mine.json() != other.json()
    for run in (SCORING, TRAINING, NOBODYS):
        assert citizen.ask(f"/v1/me/uses/{run}/why", EEVA).json()["type"].endswith("unknown-run")
        assert citizen.ask(f"/v1/me/receipts/uses/{run}", EEVA).status_code == 404
    assert citizen.ask(f"/v1/me/receipts/consents/{OFFER}", EEVA).json()["type"].endswith("nothing-on-record")
    assert citizen.ask("/v1/me/receipts/consents/none", AINO).json()["type"].endswith("unknown-purpose")


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


def test_a_ledger_that_is_gone_is_a_503_and_says_nothing_of_its_place(citizen: Citizen, home: Home) -> None:
    home.database.rename(home.path / "elsewhere.db")
    for path, person in (("/healthz", None), ("/v1/me/uses", AINO), ("/v1/purposes", None)):
        answer = citizen.ask(path, person)
        assert answer.status_code == 503
        assert str(home.path) not in answer.text


def test_a_ledger_that_is_damaged_is_not_answered_from(citizen: Citizen, home: Home) -> None:
    home.database.write_bytes(b"not a database" * 500)
    assert citizen.ask("/v1/me/uses", AINO).json()["type"].endswith("evidence")


def test_a_fault_of_ours_shows_and_logs_nothing_of_anybody(
    home: Home, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Service):
        def ledger(self, *, read_only: bool = True) -> Any:
            raise ValueError(f"{AINO} {read_only}")

    citizen = Citizen(home, clock)
    citizen.client = TestClient(create_app(Broken(home, IDENTITY, clock)), raise_server_exceptions=False)
    with caplog.at_level(logging.DEBUG):
        answer = citizen.ask("/v1/me/uses", AINO)
    assert answer.status_code == 500
    assert AINO not in answer.text + caplog.text
    assert "fault ValueError at test_api.py" in caplog.text


def test_the_log_names_no_person_no_token_and_no_address(
    citizen: Citizen, caplog: pytest.LogCaptureFixture
) -> None:
    token = citizen.token(AINO)
    with caplog.at_level(logging.INFO, logger="luvalla.citizen"):
        citizen.ask(f"/v1/me/uses?access_token={token}&person={AINO}", AINO)
        citizen.ask(f"/v1/me/{AINO}", AINO)
        citizen.say(AINO, "withdrawn")
        citizen.say(AINO, "withdrawn")
        citizen.ask("/v1/me/uses", headers={"Authorization": f"Bearer {token}x"})
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name == "luvalla.citizen")
    assert "GET /v1/me/uses 200" in logged
    assert "GET (no such address) 404" in logged
    assert "POST /v1/me/consents 201" in logged
    assert not [each for each in (AINO, token, token[:20], "testclient", SCORING) if each in logged]


def test_private_answers_are_kept_by_nobody(citizen: Citizen) -> None:
    answer = citizen.ask("/v1/me/uses", AINO)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert citizen.ask("/v1/checkpoint").headers["cache-control"] == "no-cache"


def test_every_problem_is_said_in_the_readers_language(citizen: Citizen) -> None:
    kinds = [each for each in vars(problems).values() if isinstance(each, problems.Kind)]
    assert len({kind.code for kind in kinds}) == len(kinds)
    titles = {
        language: citizen.ask("/none", language=language).json()["title"] for language in words.LANGUAGES
    }
    assert titles == {"fi": "Ei löydy", "sv": "Finns inte", "en": "Not found"}


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
