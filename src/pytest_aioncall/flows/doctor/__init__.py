"""`aioncall doctor`: what is missing between this project and a gate and a daily run that work."""

from .findings import Finding, Fine, Looked, Unknown
from .looking import look

__all__ = ["Finding", "Fine", "Looked", "Unknown", "look"]
