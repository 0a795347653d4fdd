import json

import pytest

from tl_keras.distribution.cluster import Cluster, read_cluster
from tl_keras.errors import InputError

WORKERS = ["host0:1234", "host1:1234"]


def environment_of(cluster, task):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


@pytest.mark.parametrize("environment", [{}, {"TF_CONFIG": ""}])
def test_there_is_no_cluster_without_tf_config(environment):
    assert read_cluster(environment) is None


@pytest.mark.parametrize(
    ("cluster", "task", "index"),
    [
        ({"worker": WORKERS}, {"type": "worker", "index": 1}, 1),
        ({"worker": WORKERS}, {"type": "worker", "index": "0"}, 0),
        ({"chief": WORKERS[:1], "worker": WORKERS[1:]}, {"type": "chief", "index": 0}, 0),
        ({"worker": WORKERS[1:], "chief": WORKERS[:1]}, {"type": "worker", "index": 0}, 1),
    ],
)
def test_the_chief_comes_first(cluster, task, index):
    result = read_cluster(environment_of(cluster, task))
    assert result == Cluster(tuple(WORKERS), index)
    assert result.is_chief == (index == 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "expected a mapping"),
        ("{}", "has no cluster"),
        ('{"cluster": {"worker": []}}', "names no worker"),
        ('{"cluster": {"worker": ["host0"]}}', "expected HOST:PORT"),
        ('{"cluster": {"worker": ["a:1", "a:1"]}}', "'a:1' twice"),
        ('{"cluster": {"chief": ["a:1", "b:1"]}}', "2 chiefs"),
        ('{"cluster": {"workers": ["a:1"]}}', "did you mean 'worker'?"),
        ('{"cluster": {"ps": ["a:1"]}}', "Expected one of: chief, worker"),
        ('{"cluster": {"worker": ["a:1"]}}', "is a None"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}', "expected a task of type worker"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "from 0 to 0"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker"}}', "worker None"),
    ],
)
def test_invalid_tf_config_is_refused(text, message):
    with pytest.raises(InputError, match=message.replace("?", "[?]")):
        read_cluster({"TF_CONFIG": text})
