"""Render a `report.html` as PNG pictures with headless Chromium, for docs and for a look at the page.

python scripts/picture_of_report.py .aioncall/report.html docs/images/report.png
python scripts/picture_of_report.py report.html report-dark.png --dark --width 1280 --height 2400
python scripts/picture_of_report.py report.html report.pdf
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from chromium import NAMES, find_browser, running_browser


def take_picture(
    page: Path, picture: Path, *, browser: str, width: int, height: int, dark: bool, scale: float
) -> None:
    """Write the first `height` pixels of `page` as PNG, or all of it printed where `picture` is a PDF."""
    with running_browser(browser) as running:
        running.resize(width, min(height, 1200), scale=scale)
        running.prefer("dark" if dark else "light")
        running.open(page.resolve())
        made = running.pdf() if picture.suffix == ".pdf" else running.picture(height=height)
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(made)


def main() -> int:
    """Read the command line, take the picture, say where it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("page", type=Path, help="a report.html")
    parser.add_argument("picture", type=Path, help="the PNG (or PDF) to write, docs/images/report.png")
    parser.add_argument("--width", type=int, default=1280, help="pixels (default 1280)")
    parser.add_argument("--height", type=int, default=1600, help="pixels (default 1600)")
    parser.add_argument("--scale", type=float, default=1.0, help="device pixels a pixel (default 1)")
    parser.add_argument("--dark", action="store_true", help="as a reader who prefers dark sees it")
    args = parser.parse_args()
    browser = find_browser()
    if browser is None:
        print(f"no Chromium found (looked for {', '.join(NAMES)}); install one: apt-get install chromium")
        return 1
    if not args.page.is_file():
        print(f"{args.page}: no such file; a run writes it to .aioncall/")
        return 1
    take_picture(
        args.page,
        args.picture,
        browser=browser,
        width=args.width,
        height=args.height,
        dark=args.dark,
        scale=args.scale,
    )
    print(f"{args.picture}: {args.picture.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
