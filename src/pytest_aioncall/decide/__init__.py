"""DECISIONS: nouns in, nouns out. Pure; the clock and the seed are arguments."""
