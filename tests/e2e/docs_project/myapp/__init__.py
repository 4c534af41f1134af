"""The project that the snippets in the documentation speak of."""
