"""A login for trying things out: a key that dies with the process, and a token for one invented person. Loud, on purpose."""

from __future__ import annotations

import json
import re
from typing import Final

from joserfc import jwk, jwt

from consent.web.identity import FixedKeys, Identity, parse_jwks

LABEL: Final = "INVENTED PERSON, DEVELOPMENT ONLY"
PERSON: Final = "invented-person-1"
ISSUER: Final = "https://development.invalid"  # RFC 6761: no such host can exist
AUDIENCE: Final = "luvalla-development"
HOURS: Final = 8  # a working day


# A Finnish personal identity code with an individual number of 900 to 999 is never given to anybody (Digital and
# Population Data Services Agency: for artificial people and temporary use).
_ARTIFICIAL_CODE: Final = re.compile(r"\d{6}[-+A-FU-Y]9\d\d[0-9A-FHJ-NPR-Y]")


def is_invented(person: str) -> bool:
    """Say whether an id can be nobody's: it begins with ``invented``, or is an artificial Finnish identity code."""
    return person.startswith("invented") or _ARTIFICIAL_CODE.fullmatch(person) is not None


def invented_identity(person: str, now: int) -> tuple[Identity, str]:
    """Make a login for one invented person.

    Args:
        person: The person's id, which must be nobody's.
        now: Seconds since 1970.

    Returns:
        The rule that believes the token, and the token; the private key is forgotten at once.
    """
    key = jwk.ECKey.generate_key("P-256", parameters={"kid": "development", "use": "sig", "alg": "ES256"})
    keys = parse_jwks(json.dumps({"keys": [key.as_dict(private=False)]}).encode())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": person,
        "iat": now,
        "exp": now + 3600 * HOURS,
        "luvalla": LABEL,
    }
    token = jwt.encode({"alg": "ES256", "kid": "development"}, claims, key, algorithms=["ES256"])
    return Identity(FixedKeys(keys), ISSUER, AUDIENCE), token
