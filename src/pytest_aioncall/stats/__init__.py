"""NUMBERS: arrays in, frozen dataclass out. numpy and scipy only; knows no noun."""
