"""Only tokens that the issuer signed, for us and valid now, are let in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from types import ModuleType
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.unit.api.conftest import load

ISSUER = "https://id.example.com/"
KEY = RSAKey.generate_key(2048, {"kid": "k1"})
OTHER = RSAKey.generate_key(2048, {"kid": "k1"})
STAGE = "arn:aws:execute-api:ap-south-1:1:api/v1"
METHOD = f"{STAGE}/GET/users/u1/recommendations"


class Http:
    """The issuer's server."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        self.keys = KeySet([KEY])

    def request(self, *_: Any, **__: Any) -> Any:
        self.asked += 1
        http = self

        class Answer:
            status = http.status
            data = json.dumps(http.keys.as_dict(private=False)).encode()

        return Answer()


@pytest.fixture
def authorizer(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    environment = {
        "ISSUER": ISSUER, "AUDIENCE": "app other-app", "JWKS_URL": f"{ISSUER}jwks.json", "USER_CLAIM": "sub",
        "GROUP_CLAIM": "scope", "POWERTOOLS_SERVICE_NAME": "authorizer",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    module = load("authorizer")
    module.keys._http = Http()
    return module


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": "app", "sub": "u1", "scope": "read", "exp": now + 60, **changed}


def ask(module: ModuleType, token: str) -> dict[str, Any]:
    asked = {"type": "TOKEN", "methodArn": METHOD, "authorizationToken": f"Bearer {token}"}
    return dict(module.handler(asked, None))


def signed(key: Any = KEY, algorithm: str = "RS256", **changed: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": "k1"}, claims(**changed), key, algorithms=[algorithm])


def test_a_good_token_opens_the_stage_and_tells_whose_it_is(authorizer: ModuleType) -> None:
    answer = ask(authorizer, signed(aud=["app", "third"]))
    assert answer["principalId"] == "u1"
    assert answer["context"] == {"sub": "u1", "scope": "read"}
    statement = answer["policyDocument"]["Statement"][0]
    assert (statement["Effect"], statement["Resource"]) == ("Allow", f"{STAGE}/*")


def test_access_tokens_name_their_audience_as_client(authorizer: ModuleType) -> None:
    body = claims(client_id="other-app")
    del body["aud"]
    assert ask(authorizer, jwt.encode({"alg": "RS256", "kid": "k1"}, body, KEY))["principalId"] == "u1"


def signed_with_the_public_key() -> str:
    """A token whose HMAC has the published key as its secret: what a verifier must not fall for."""
    head = _part({"alg": "HS256", "kid": "k1"}) + "." + _part(claims())
    secret = KEY.as_pem(private=False)
    signature = hmac.new(secret, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


REFUSED = {
    "another key": lambda: signed(OTHER),
    "another issuer": lambda: signed(iss="https://evil.example.com/"),
    "another audience": lambda: signed(aud="evil"),
    "no audience": lambda: signed(aud=[]),
    "expired": lambda: signed(exp=int(time.time()) - 3600),
    "no expiry": lambda: signed(exp=None),
    "not yet": lambda: signed(nbf=int(time.time()) + 3600),
    "an unknown key id": lambda: jwt.encode({"alg": "RS256", "kid": "k9"}, claims(), KEY),
    "no key id": lambda: jwt.encode({"alg": "RS256"}, claims(), KEY),
    "the public key as a shared secret": signed_with_the_public_key,
    "no signature": lambda: signed().rsplit(".", 1)[0] + ".",
    "the algorithm none": lambda: "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ." + signed().split(".")[1] + ".",
    "nonsense": lambda: "nonsense",
    "empty": lambda: "",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_token_is_unauthorized(authorizer: ModuleType, kind: str) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(authorizer, REFUSED[kind]())


def test_keys_are_read_once_and_again_for_a_new_key_but_not_at_each_call(
    authorizer: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = authorizer.keys._http
    for _ in range(3):
        ask(authorizer, signed())
    assert http.asked == 1
    new = RSAKey.generate_key(2048, {"kid": "k2"})
    http.keys = KeySet([KEY, new])
    token = jwt.encode({"alg": "RS256", "kid": "k2"}, claims(), new)
    for _ in range(3):
        with pytest.raises(Exception, match="Unauthorized"):
            ask(authorizer, token)
    assert http.asked == 1
    monkeypatch.setattr(authorizer.keys, "_read_at", time.monotonic() - 60)
    assert ask(authorizer, token)["principalId"] == "u1"
    assert http.asked == 2


def test_an_issuer_that_is_down_is_no_refusal_and_known_keys_stay(
    authorizer: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = authorizer.keys._http
    http.status = 503
    with pytest.raises(authorizer.NoKeysError, match="503"):
        ask(authorizer, signed())
    http.status = 200
    ask(authorizer, signed())
    http.status = 503
    monkeypatch.setattr(authorizer.keys, "_read_at", time.monotonic() - 7200)
    assert ask(authorizer, signed())["principalId"] == "u1"
