import ast
import signal
from pathlib import Path

import pytest

import tl_keras
from tl_keras.cli.early_interrupts import end_silently, report_interrupts
from tl_keras.cli.verbs import run_verb

VERBS = ["train", "evaluate", "predict", "explain", "recommend", "label", "compare", "export", "demo"]


@pytest.fixture
def handler():
    before = signal.getsignal(signal.SIGINT)
    yield lambda value=None: signal.signal(signal.SIGINT, value) if value else signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_an_interruption_ends_the_process_until_it_is_reported(handler):
    handler(signal.default_int_handler)
    end_silently()
    assert handler() is signal.SIG_DFL
    run_verb(lambda arguments: None, [])
    assert handler() is signal.default_int_handler


def test_a_signal_that_the_caller_ignores_stays_ignored(handler):
    handler(signal.SIG_IGN)
    end_silently()
    report_interrupts()
    assert handler() is signal.SIG_IGN


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_ends_silently_before_it_imports_anything_else(verb):
    tree = ast.parse(Path(tl_keras.__file__).with_name(f"{verb}.py").read_text(encoding="utf-8"))
    _, first, guard, *_ = tree.body
    assert (first.module, ast.unparse(guard.test)) == ("tl_keras.cli.early_interrupts", "__name__ == '__main__'")
    assert ast.unparse(guard.body) == "end_silently()"
