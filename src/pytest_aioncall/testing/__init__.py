"""For people who write their own targets and scorers: contract suites and a wire of canned replies.

from pytest_aioncall.testing import check_scorer

def test_my_scorer():
    check_scorer(
        polite(),
        passing=(Case(id="c", input="?"), Output(text="Please wait a moment.")),
        failing=(Case(id="c", input="?"), Output(text="Wait.")),
    )
"""

from __future__ import annotations

from .notifier_contract import check_notifier, notification, notifier_context
from .replay_wire import ReplayWire, Sent, chat_answer, embedding_answer, reply_of
from .scorer_contract import HOSTILE_TEXTS, ScorerContract, check_hostile, check_scorer
from .surroundings import make_scorer, make_target, piece_context, score_once
from .target_contract import check_target
from .tracker_contract import check_tracker

__all__ = [
    "HOSTILE_TEXTS",
    "ReplayWire",
    "ScorerContract",
    "Sent",
    "chat_answer",
    "check_hostile",
    "check_notifier",
    "check_scorer",
    "check_target",
    "check_tracker",
    "embedding_answer",
    "make_scorer",
    "make_target",
    "notification",
    "notifier_context",
    "piece_context",
    "reply_of",
    "score_once",
]
