"""What the documentation calls myapp.evals."""


def is_polite(text: str, words: list[str]) -> bool:
    return any(word in text.lower() for word in words)
