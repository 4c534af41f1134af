"""What the documentation calls myapp.triage."""


class QueueFull(Exception):
    """Tell that the ticket was not taken."""


def route(ticket: str) -> str:
    return "billing" if "refund" in ticket else "other"


def reply(ticket: str) -> str:
    return f"We look into it: {ticket}"
