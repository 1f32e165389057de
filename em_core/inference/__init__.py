"""What a finished fit can be trusted to say."""

from em_core.search.identified import Identification, identified

__all__ = ["Identification", "identified"]
