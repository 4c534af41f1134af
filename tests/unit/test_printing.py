"""What user code prints goes to its sample through every swap of pytest's capture."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from _pytest.capture import SysCapture

from pytest_aioncall.engine import printed
from pytest_aioncall.plugin.printing import RoutedStream, route_prints, unroute_prints


def test_swapped_streams_are_routed_and_given_back_as_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = SysCapture(1), SysCapture(2)
    manager = SimpleNamespace(_global_capturing=SimpleNamespace(out=out, err=err))
    before = sys.stdout
    out.start()
    err.start()
    said: list[str] = []
    try:
        route_prints(manager)
        token = printed.set(said)
        try:
            out.suspend()
            print("while suspended")
            out.resume()
            print("while resumed")
            sys.stderr.writelines(["and an error\n"])
        finally:
            printed.reset(token)
        print("of a test")
        assert out.snap() == "of a test\n"
        assert err.snap() == ""
        unroute_prints(manager)
        assert not any("write" in vars(stream) for stream in (out.tmpfile, out._old))
    finally:
        out.done()
        err.done()
    assert sys.stdout is before
    assert "".join(said) == "while suspended\nwhile resumed\nand an error\n"
    assert capsys.readouterr().out == ""


def test_a_routed_stream_says_of_itself_what_its_stream_says() -> None:
    assert sys.__stdout__ is not None
    routed = RoutedStream(sys.__stdout__)
    for name in ("encoding", "errors", "closed", "buffer"):
        assert getattr(routed, name) == getattr(sys.__stdout__, name)
    assert routed.fileno() == sys.__stdout__.fileno()
    assert routed.writable()
