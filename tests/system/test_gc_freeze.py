import gc
import weakref

import pytest

from tl_keras.system.gc_freeze import quick_collection


class Circle:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def nothing_frozen():
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("nothing_frozen")
def test_what_is_made_inside_is_collected_and_what_was_there_is_not_looked_at():
    older = weakref.ref(Circle())
    with quick_collection():
        newer = weakref.ref(Circle())
        gc.collect()
        assert newer() is None and older() is not None
    gc.collect()
    assert older() is None


@pytest.mark.usefixtures("nothing_frozen")
def test_an_error_unfreezes_too():
    with pytest.raises(ValueError, match="inside"), quick_collection():
        raise ValueError("inside")
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("nothing_frozen")
def test_what_others_have_frozen_stays_so():
    gc.freeze()
    with quick_collection(), quick_collection():
        pass
    assert gc.get_freeze_count() > 0
