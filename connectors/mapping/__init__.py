"""The mapping engine: from source records to canonical documents, by a YAML file."""

from connectors.mapping.loading import load_mapping, parse_mapping
from connectors.mapping.model import SourceMapping
from connectors.mapping.problems import MappingError

__all__ = ["MappingError", "SourceMapping", "load_mapping", "parse_mapping"]
