import pytest

from tl_keras.config import TextConfig
from tl_keras.errors import InputError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_tokens": 7}, "text.max_tokens must be at least 8: got 7"),
        ({"windows": 0}, "text.windows must be at least 1: got 0"),
        ({"windows": 2, "second_text_column": "b"}, "text.windows is 2, but pairs of texts are not split"),
        ({"tokens_per_batch": 0}, "text.tokens_per_batch must be at least 1"),
    ],
)
def test_invalid_settings_are_refused_by_name(values, message):
    with pytest.raises(InputError, match=message):
        TextConfig(**values)
