"""Markdown as GitHub renders it: step summary, pull-request comment, and the pieces of an issue.

escape.py   other people's text, shown and nothing more; every piece of text passes through it once
"""
