"""Render a `report.html` as PNG pictures with headless Chromium, for docs and for a look at the page.

python scripts/picture_of_report.py .aioncall/report.html docs/images/report.png
python scripts/picture_of_report.py report.html report-dark.png --dark --width 1280 --height 2400
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def take_picture(
    page: Path, picture: Path, *, browser: str, width: int, height: int, dark: bool, scale: float
) -> None:
    """Write the first `height` pixels of `page` as PNG; raises RuntimeError with the browser's last words.

    A window cannot be made narrower than about 500 pixels, so a phone's width is framed inside one.
    """
    with tempfile.TemporaryDirectory() as folder:
        shown = page.resolve().as_uri()
        if width < 520:
            frame = Path(folder) / "frame.html"
            frame.write_text(
                f'<body style="margin:0"><iframe src="{shown}" width="{width}" height="{height}" '
                'style="border:0;display:block"></iframe>',
                encoding="utf-8",
            )
            shown = frame.as_uri()
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.unlink(missing_ok=True)
        done = subprocess.run(
            [
                browser,
                *QUIET,
                f"--user-data-dir={folder}/profile",
                f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                f"--force-device-scale-factor={scale:g}",
                f"--window-size={max(width, 520)},{height}",
                f"--screenshot={picture.resolve()}",
                shown,
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    if not picture.exists():
        raise RuntimeError(f"{browser} wrote no picture (exit {done.returncode}): {done.stderr[-400:]}")


def main() -> int:
    """Read the command line, take the picture, say where it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("page", type=Path, help="a report.html")
    parser.add_argument("picture", type=Path, help="the PNG to write, for example docs/images/report.png")
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
