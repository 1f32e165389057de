"""What a finished fit can be trusted to say."""

from em_core.inference.quality import ClassQuality, class_quality
from em_core.search.identified import Identification, identified

__all__ = ["ClassQuality", "Identification", "class_quality", "identified"]
