"""The `serving` section: the real-time API."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from config.base import Section

POPULAR = "popular"
LARGEST_BATCH_AT_ONCE = 10


class Filter(Section):
    """A Personalize filter and the API's query parameters that fill its `$` placeholders."""

    name: str
    expression: str
    dataset_group: Literal["main", "coupons"] = "main"


class Throttle(Section):
    """Requests per second, and burst, allowed to one client."""

    rate: float = 50
    burst: int = 100


class Client(Section):
    """A back end with an API key and usage plan of its own, and a throttle other than that of `serving`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    throttle: Throttle | None = None
    requests_per_day: int | None = Field(default=None, ge=1)


class Firewall(Section):
    """AWS WAF: most requests in five minutes from one address, and with one token where callers have them.

    Its sampled requests are off: they would hold user ids.
    """

    enabled: bool = True
    requests_per_address: int = Field(default=100_000, ge=10, le=2_000_000_000)
    requests_per_token: int = Field(default=3_000, ge=10, le=2_000_000_000)


class Jwt(Section):
    """Whose tokens are taken, and what they say. Without an issuer the deployment makes a Cognito pool.

    A token whose `group_claim` holds `back_end_group` may ask for every user; any other only for the user
    that its `user_claim` names.
    """

    issuer: str | None = Field(default=None, pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])\S+$")
    audience: list[str] = Field(default_factory=list)
    jwks_url: str | None = Field(default=None, pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])\S+$")
    user_claim: str | None = None
    group_claim: str | None = None
    back_end_group: str = "back-ends"

    @model_validator(mode="after")
    def _an_issuers_tokens_are_for_somebody(self) -> Self:
        if self.issuer and not self.audience:
            raise ValueError("audience is needed with an issuer: whom its tokens must be for")
        return self

    @property
    def keys_url(self) -> str:
        """Where the issuer publishes its keys."""
        return self.jwks_url or f"{str(self.issuer).rstrip('/')}/.well-known/jwks.json"

    @property
    def user_claim_name(self) -> str:
        """The claim with the user's id."""
        return self.user_claim or ("sub" if self.issuer else "cognito:username")

    @property
    def group_claim_name(self) -> str:
        """The claim with groups or scopes."""
        return self.group_claim or ("scope" if self.issuer else "cognito:groups")


class Experiment(Section):
    """Splits users between the usual campaign and `treatment`: another recipe's campaign, or `popular`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    treatment: str
    share: float = Field(gt=0, le=1)


class ContextField(Section):
    """A column of the interactions that Personalize is told with each request, as its `context`.

    A client may state it by the query parameter named as the column in camelCase. Otherwise it is seen: by
    `platform` (ios, android, web) and `device` (phone, tablet, desktop) in the User-Agent, by `season` in the
    month, with `months` of each season. What is none of `values` is not told.
    """

    column: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    values: list[str] = Field(min_length=1)
    automatic: Literal["platform", "device", "season"] | None = None
    months: dict[str, list[int]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _a_season_has_months(self) -> Self:
        if self.automatic == "season" and set(self.months) != set(self.values):
            raise ValueError(f"months of each season are needed: {', '.join(self.values)}")
        return self

    @property
    def parameter(self) -> str:
        """The query parameter."""
        first, *rest = self.column.split("_")
        return first + "".join(word.capitalize() for word in rest)


class Caching(Section):
    """Seconds for which an answer of Personalize may be kept; with 0 clients ask whether it changed.

    An item that sells out meanwhile stays in answers that are kept.
    """

    recommendations: int = Field(default=0, ge=0, le=86_400)
    coupons: int = Field(default=0, ge=0, le=86_400)
    similar: int = Field(default=0, ge=0, le=86_400)


class EventDelivery(Section):
    """How events go from the queue to Personalize.

    A batch is full or as old as the window. A message that failed waits, twice as long each time (at most a
    quarter of an hour), and goes to the dead-letter queue after so many receives. Of a function that was
    killed the messages come again after six times its time-out.
    """

    batch_size: int = Field(default=100, ge=1, le=1000)
    window_seconds: int = Field(default=1, ge=0, le=300)
    timeout_seconds: int = Field(default=60, ge=15, le=900)
    first_retry_seconds: int = Field(default=5, ge=1, le=900)
    receives: int = Field(default=10, ge=1, le=1000)
    counted_types: list[str] = Field(default_factory=lambda: ["checkout", "purchase"])

    @model_validator(mode="after")
    def _large_batches_take_time(self) -> Self:
        if self.batch_size > LARGEST_BATCH_AT_ONCE and not self.window_seconds:
            raise ValueError(
                f"batch_size = {self.batch_size} needs window_seconds of 1 or more: "
                f"Lambda takes no more than {LARGEST_BATCH_AT_ONCE} at once"
            )
        return self


class ServingConfig(Section):
    """How the API answers: who may call, how many results, which filters, what unknown stock means."""

    authorization: Literal["api_key", "iam", "jwt"] = "api_key"
    jwt: Jwt = Jwt()
    default_results: int = Field(default=25, ge=1, le=500)
    maximum_results: int = Field(default=100, ge=1, le=500)
    filters: list[Filter] = Field(default_factory=list)
    unknown_availability: Literal["available", "unavailable"] = "unavailable"
    throttle: Throttle = Throttle()
    clients: list[Client] = Field(default_factory=lambda: [Client(name="app")], min_length=1)
    firewall: Firewall = Firewall()
    experiment: Experiment | None = None
    time_budget_seconds: float = Field(default=1.0, ge=0.2, le=25)
    context: list[ContextField] = Field(default_factory=list)
    cache_seconds: Caching = Caching()
    events: EventDelivery = EventDelivery()
