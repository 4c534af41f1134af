"""What the documentation calls myapp.search."""

from typing import Any


def variables_for(ticket: str) -> dict[str, Any]:
    return {
        "passages": ["Refunds take 14 days."],
        "retrieved": [{"id": "faq-3", "text": "Refunds take 14 days."}],
    }
