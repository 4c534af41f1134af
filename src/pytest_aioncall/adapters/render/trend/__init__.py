"""The trend site: one page an evalset and an index, from the history; static, without script."""

from .pages import render_site

__all__ = ["render_site"]
