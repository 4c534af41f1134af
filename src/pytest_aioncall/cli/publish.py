"""`aioncall publish summary|comment|check|issues`: what a run said, told on GitHub."""

from __future__ import annotations

import argparse
from typing import Any

from .talk import EXIT_OK, add_verb, count, say, say_as_it_is, say_json, settings_of


def add_publish(verbs: Any) -> None:
    parser = verbs.add_parser(
        "publish",
        help="tell a run on GitHub: the step's summary, one comment, an issue that closes itself",
        epilog="example: aioncall publish summary",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_summary(actions)
    _add_comment(actions)
    _add_check(actions)
    _add_issues(actions)


def _add_summary(actions: Any) -> None:
    summary = add_verb(
        actions,
        "summary",
        _summary,
        help="append the report to the summary of the step; set its outputs, annotate lines of evalsets",
        example="aioncall publish summary",
    )
    _add_report(summary)
    summary.add_argument("--no-annotations", action="store_true", help="annotate no line")
    summary.add_argument("--dry-run", action="store_true", help="print it and write nothing")


def _add_comment(actions: Any) -> None:
    comment = add_verb(
        actions,
        "comment",
        _comment,
        help="write, change or resolve the one comment of a pull request",
        example="aioncall publish comment --report aioncall-report",
    )
    _add_report(comment)
    comment.add_argument("--pr", type=count, metavar="N", help="the pull request (default: the event's)")
    comment.add_argument(
        "--key", default="", metavar="NAME", help="a comment of its own for this job, beside those of others"
    )
    _add_sending(comment)


def _add_check(actions: Any) -> None:
    check = add_verb(
        actions,
        "check",
        _check,
        help="report a check of the commit: success, failure, or neutral",
        example="aioncall publish check",
    )
    _add_report(check)
    check.add_argument(
        "--name", default="aioncall", metavar="NAME", help="under which people see it (default aioncall)"
    )
    _add_sending(check)


def _add_issues(actions: Any) -> None:
    issues = add_verb(
        actions,
        "issues",
        _issues,
        help="open, update and close the issue of each evalset, by what aioncall monitor found",
        example="aioncall publish issues --run latest",
    )
    issues.add_argument("--run", default="latest", help="run id, run folder or latest (default)")
    issues.add_argument("--history", metavar="DIR|BRANCH", help="where the history is kept")
    issues.add_argument("--dry-run", action="store_true", help="print what would be done and do none of it")
    issues.add_argument("--json", action="store_true", help="print one JSON object")
    issues.add_argument("--now", metavar="TIME", help="the clock (RFC 3339), above AIONCALL_NOW")


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--report", metavar="FILE|DIR", help="report.json, or a folder with those of several jobs (.aioncall)"
    )


def _add_sending(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from-workflow-run",
        action="store_true",
        help="the report is of another run, a fork's perhaps: trust nothing in it (default on: workflow_run)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print it and send nothing")


def _summary(options: argparse.Namespace) -> int:
    from ..flows.publishing import for_log, publish_summary

    settings = settings_of(options)
    done = publish_summary(
        options.report, settings=settings, annotate=not options.no_annotations, dry_run=options.dry_run
    )
    text = done.text if done.written is None else ""
    say_as_it_is(*for_log(text, settings=settings, commands=done.commands))
    if done.note:
        say(done.note)
    return EXIT_OK


def _comment(options: argparse.Namespace) -> int:
    from ..flows.publishing import for_log, publish_comment

    settings = settings_of(options)
    done = publish_comment(
        options.report,
        settings=settings,
        number=options.pr,
        key=options.key,
        from_workflow_run=options.from_workflow_run,
        dry_run=options.dry_run,
    )
    if options.dry_run:
        say_as_it_is(*for_log(done.text, settings=settings))
    say(done.note + (f": {done.url}" if done.url else ""))
    return EXIT_OK


def _check(options: argparse.Namespace) -> int:
    from ..flows.publishing import for_log, publish_check

    settings = settings_of(options)
    done = publish_check(
        options.report,
        settings=settings,
        name=options.name,
        from_workflow_run=options.from_workflow_run,
        dry_run=options.dry_run,
    )
    if options.dry_run:
        say_as_it_is(*for_log(done.text, settings=settings))
    say(done.note)
    return EXIT_OK


def _issues(options: argparse.Namespace) -> int:
    from ..flows.issues import publish_run

    settings = settings_of(options, now=options.now)
    done = publish_run(options.run, settings=settings, where=options.history, dry_run=options.dry_run)
    if options.json:
        say_json(done.as_json())
    else:
        say(*done.lines)
    return done.exit_code
