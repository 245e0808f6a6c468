"""The typed, validated configuration of a deployment."""

from config.load import ConfigurationError, load
from config.model import ProjectConfig

__all__ = ["ConfigurationError", "ProjectConfig", "load"]
