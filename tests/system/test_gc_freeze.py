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
def test_only_objects_created_inside_are_collected():
    older = weakref.ref(Circle())
    with quick_collection():
        newer = weakref.ref(Circle())
        gc.collect()
        assert newer() is None and older() is not None
    gc.collect()
    assert older() is None


@pytest.mark.usefixtures("nothing_frozen")
def test_objects_are_unfrozen_after_an_error():
    with pytest.raises(ValueError, match="inside"), quick_collection():
        raise ValueError("inside")
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("nothing_frozen")
def test_objects_frozen_before_stay_frozen():
    gc.freeze()
    with quick_collection(), quick_collection():
        pass
    assert gc.get_freeze_count() > 0
