"""Stand in the way of an installed httpx-aiohttp, so that a run uses httpx's own transport."""

raise ImportError("httpx-aiohttp is hidden from this run: it measures httpx's own transport")
