"""The `compute` section: what runs Lambda functions and Glue jobs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from config.base import Section


class LambdaConfig(Section):
    """Runtime and architecture of every function; `host` is the machine that synthesises (for localcloud)."""

    runtime: Literal["python3.11", "python3.12", "python3.13", "host"] = "python3.13"
    architecture: Literal["arm64", "x86_64", "host"] = "arm64"


class GlueConfig(Section):
    """Size of the Spark jobs."""

    version: Literal["5.0"] = "5.0"
    worker_type: Literal["G.1X", "G.2X", "G.4X"] = "G.1X"
    workers: int = Field(default=4, ge=2)
    timeout_minutes: int = Field(default=120, ge=1)


class ComputeConfig(Section):
    """Compute settings."""

    functions: LambdaConfig = LambdaConfig()
    glue: GlueConfig = GlueConfig()
