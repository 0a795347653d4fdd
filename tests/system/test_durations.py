import pytest

from tl_keras.errors import InputError
from tl_keras.system.durations import Interval, format_duration, parse_duration, parse_interval


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("90s", 90),
        ("1h30m", 5400),
        ("2h", 7200),
        ("1.5m", 90),
        (" 1h1m1s ", 3661),
        ("2 min", 120),
        ("1 hour 30 minutes", 5400),
        ("1hr", 3600),
        ("10 Seconds", 10),
        ("2H", 7200),
    ],
)
def test_a_duration_is_converted_to_seconds(text, seconds):
    assert parse_duration(text) == seconds


def test_a_number_alone_is_refused_with_its_units():
    with pytest.raises(InputError, match="max_time is '10': it needs a unit, such as 10m for minutes or 10s for"):
        parse_duration("10")


@pytest.mark.parametrize("text", ["", "10", "0m", "m", "ten minutes", "-5m", "30s1m", "1d", "1h 30", "5 meters"])
def test_an_invalid_duration_is_refused(text):
    with pytest.raises(InputError, match=f"max_time is {text!r}: "):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "interval"),
    [("5m", Interval(seconds=300)), ("200 steps", Interval(steps=200)), ("1 step", Interval(steps=1))],
)
def test_an_interval_is_a_time_or_a_number_of_steps(text, interval):
    assert parse_interval(text) == interval


@pytest.mark.parametrize("text", ["", "200", "0 steps", "-1 steps", "1.5 steps", "often"])
def test_an_invalid_interval_is_refused(text):
    with pytest.raises(InputError, match=f"checkpoint_every is {text!r}, .*5m or 200 steps"):
        parse_interval(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (89.4, "89 s"), (91, "2 min"), (2400, "40 min"), (7800, "2 h 10 min")]
)
def test_estimated_times_have_two_units_at_most(seconds, text):
    assert format_duration(seconds) == text
