"""The page of faults says what the table says, which is what the tests provoke."""

from __future__ import annotations

from fault_table import PAGE, faults, page_table, page_with_tables


def test_the_page_is_made_from_the_table() -> None:
    """Written anew by: python tests/chaos/fault_table.py."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_tables(page)
    assert page_table() in page
    assert all(fault.what in page for fault in faults())
