"""Options and hooks of a session that may run no eval at all: nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path

import pytest

EVALSET_SUFFIX = ".eval.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; each can be set in `aioncall.yaml` or by an environment variable, too."""
    group = parser.getgroup("aioncall", "evals of AI features (pytest-aioncall)")
    add = group.addoption
    add("--aioncall", action="store_true", help="collect and run evalsets (*.eval.yaml)")
    add("--aioncall-epochs", type=int, metavar="N", help="repeat every case N times")
    add("--aioncall-concurrency", type=int, metavar="N", help="samples that run at once (default 16)")
    add(
        "--aioncall-replay",
        action="store_true",
        help="answer model calls from the committed cassettes; no network, no key, no cost",
    )
    add(
        "--aioncall-fallback",
        action="store_true",
        help="as --aioncall-replay, and call the models for what is not recorded, under the cost cap",
    )
    add(
        "--aioncall-record",
        action="store_true",
        help="call the models and record their answers; with --aioncall-replay only those that are missing",
    )
    add(
        "--aioncall-require-baseline",
        action="store_true",
        help="exit 8 where an evalset has no comparable baseline",
    )
    add("--aioncall-strict", action="store_true", help="exit 7 where a gate is inconclusive")
    add(
        "--aioncall-max-cost",
        type=float,
        metavar="USD",
        help="refuse a run estimated above USD, and stop calling once it is spent (default 5)",
    )
    add(
        "--aioncall-baseline-ref",
        metavar="REF",
        help="judge by baselines and gates as they were where this branch left REF, or by stricter ones",
    )
    add(
        "--aioncall-changed",
        metavar="REF",
        help="run only the evalsets that a change since this branch left REF can affect",
    )
    add(
        "--aioncall-daily",
        metavar="WHERE",
        help="branch or folder with daily runs of the base: what is red there is not blamed here",
    )
    add(
        "--aioncall-without-keys",
        metavar="WHAT",
        help="a key is not set: refuse (default), or run what is recorded and leave the rest out as neutral: "
        "fork (only where GitHub gives no secrets), neutral (everywhere)",
    )
    add(
        "--aioncall-resume",
        action="store_true",
        help="go on with the latest run that did not finish: ask only what it lacks",
    )
    add("--aioncall-run", metavar="ID", help="the run that --aioncall-resume goes on with")
    add(
        "--aioncall-shard",
        metavar="K/N",
        help="run shard K of N only; aioncall gate judges all N together",
    )
    add(
        "--aioncall-report",
        metavar="DIR",
        help="write report.html and report.json there (default .aioncall)",
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Tell pytest of the hooks that a conftest may implement."""
    from . import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Wake up only where evals are asked for: by the flag, or by naming an evalset file."""
    config.addinivalue_line(
        "markers", "aioncall(slice, evalset, owner): what an eval case belongs to; select with -m"
    )
    if not (config.option.aioncall or _names_an_evalset(config)):
        given = [
            f"--{name.replace('_', '-')}"
            for name, value in vars(config.option).items()
            if name.startswith("aioncall_") and value
        ]
        if given:
            raise pytest.UsageError(f"{given[0]} does nothing without --aioncall; add --aioncall")
        return
    _add_evalsets_folder(config)
    from . import garbage
    from .guarding import Guarding
    from .session import OnCallSession
    from .workers import listeners

    # Registered before pytest's own clean-ups, so it is done after them: they collect five times over.
    config.add_cleanup(garbage.take_back)
    session = OnCallSession(config)
    config.pluginmanager.register(session, "aioncall-session")
    config.pluginmanager.register(Guarding(session), "aioncall-guarding")
    for listener in listeners(config, session):
        config.pluginmanager.register(listener)


def _names_an_evalset(config: pytest.Config) -> bool:
    return any(argument.split("::", 1)[0].endswith(EVALSET_SUFFIX) for argument in config.args)


def _add_evalsets_folder(config: pytest.Config) -> None:
    """Add `evalsets/` where `testpaths` would hide it: `pytest --aioncall` alone runs all of them."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    folder = config.rootpath / "evalsets"
    named = [Path(argument) for argument in config.args]
    if folder.is_dir() and not any(
        folder == path or path in folder.parents for path in (p.absolute() for p in named)
    ):
        config.args.append(str(folder))
