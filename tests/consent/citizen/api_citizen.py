"""A citizen of the API: a client that checks every answer against the OpenAPI document, and holds a login."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import jsonschema
from joserfc import jwk, jwt

from consent import words
from consent.web import identity
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
