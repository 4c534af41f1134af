"""`python -m pytest_aioncall` is the `aioncall` command."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
