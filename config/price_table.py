"""The dated price table, `config/prices/*.yaml`: list prices in US dollars."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field

from config.base import Section

PRICES = Path(__file__).parent / "prices" / "on_demand.yaml"


class PersonalizePrices(Section):
    """Amazon Personalize, custom solutions with the recipes of before 2024."""

    data_ingestion_per_gb: float = Field(ge=0)
    training_hour: float = Field(ge=0)
    campaign_tps_hour: float = Field(ge=0)
    batch_per_1000_recommendations: float = Field(ge=0)


class GluePrices(Section):
    """AWS Glue."""

    dpu_hour: float = Field(ge=0)


class AthenaPrices(Section):
    """Amazon Athena."""

    per_tb_scanned: float = Field(ge=0)


class ApiGatewayPrices(Section):
    """Amazon API Gateway, REST APIs."""

    per_million_requests: float = Field(ge=0)


class LambdaPrices(Section):
    """AWS Lambda on arm64."""

    per_million_requests: float = Field(ge=0)
    gb_second: float = Field(ge=0)


class StepFunctionsPrices(Section):
    """AWS Step Functions, standard workflows."""

    per_1000_transitions: float = Field(ge=0)


class Prices(Section):
    """All prices; `date` says when they were compared with AWS's pages."""

    date: str
    personalize: PersonalizePrices
    glue: GluePrices
    athena: AthenaPrices
    api_gateway: ApiGatewayPrices
    # `lambda` is a word of Python's own.
    functions: LambdaPrices = Field(alias="lambda")
    step_functions: StepFunctionsPrices


def read_prices(path: Path = PRICES) -> Prices:
    """Read a price table; pydantic's ValidationError names what is missing or wrong in it."""
    return Prices.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
