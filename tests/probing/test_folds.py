import numpy as np
import pytest

from tl_keras.probing.folds import EVERY_REPEATED_BELOW, FEWER, FEWER_FROM, FOLDS, REPEATED_BELOW, REPEATS, make_folds


def test_each_example_is_held_out_once_in_each_repeat_and_never_trained_on_in_that_fold():
    labels = np.repeat(np.arange(4), 10)
    folds = make_folds(labels)
    assert len(folds) == FOLDS * REPEATS
    np.testing.assert_array_equal(np.bincount(np.concatenate([held_out for _, held_out in folds])), REPEATS)
    for train, held_out in folds:
        assert not np.intersect1d(train, held_out).size
        assert len(train) + len(held_out) == len(labels)
        np.testing.assert_array_equal(np.bincount(labels[held_out]), 2)


@pytest.mark.filterwarnings("error")
def test_a_class_of_one_example_is_in_the_training_part_of_every_fold():
    labels = np.array([0] * 6 + [1] * 6 + [2])
    assert all(12 in train for train, _ in make_folds(labels))


def test_each_class_of_two_examples_keeps_one_to_train_on():
    labels = np.repeat(np.arange(300), 2)
    for train, _ in make_folds(labels):
        assert len(np.unique(labels[train])) == 300


@pytest.mark.parametrize("labels", [np.arange(4), np.zeros(1, int), np.ones((1, 2), int)])
def test_there_are_no_folds_where_nothing_can_be_held_out(labels):
    assert make_folds(labels) == []


def test_several_labels_per_example_are_divided_at_random():
    folds = make_folds(np.ones((11, 3), int))
    assert sorted(np.concatenate([held_out for _, held_out in folds[:FOLDS]])) == list(range(11))


def test_the_seed_determines_the_folds():
    labels = np.repeat(np.arange(2), 20)
    first, again, other = (make_folds(labels, seed)[0][1].tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_many_examples_are_divided_once():
    assert len(make_folds(np.arange(REPEATED_BELOW) % 2)) == FOLDS


def test_of_very_many_examples_not_every_fold_is_used():
    folds = make_folds(np.arange(FEWER_FROM) % 2)
    assert len(folds) == FEWER
    assert not np.intersect1d(folds[0][1], folds[1][1]).size


def test_every_example_is_held_out_several_times_where_each_counts():
    labels = np.arange(FEWER_FROM) % 2
    assert len(make_folds(labels)) == FEWER
    held_out = np.concatenate([rows for _, rows in make_folds(labels, every=True)])
    assert (np.bincount(held_out) == REPEATS).all()
    assert len(make_folds(np.arange(EVERY_REPEATED_BELOW) % 2, every=True)) == FOLDS
