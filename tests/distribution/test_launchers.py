import json
import re
from pathlib import Path

import pytest
import yaml

from tl_keras.config.parsing import parse
from tl_keras.distribution.cluster import read_cluster
from tl_keras.distribution.launchers import derive_tf_config, expand_nodes
from tl_keras.errors import InputError

FOLDER = Path(__file__).parents[2] / "docs" / "cluster"
SLURM = {"SLURM_PROCID": "1", "SLURM_STEP_NODELIST": "gpu[1-2]", "SLURM_STEP_NUM_TASKS": "2", "TL_KERAS_PORT": "9"}


def cluster_of(environment):
    return read_cluster({"TF_CONFIG": derive_tf_config(environment)})


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("one", ["one"]),
        ("a1,b-2.lan", ["a1", "b-2.lan"]),
        ("gpu[08-10,12],big1", ["gpu08", "gpu09", "gpu10", "gpu12", "big1"]),
        ("rack[1-2]x", ["rack1x", "rack2x"]),
    ],
)
def test_slurm_node_lists_are_expanded(text, nodes):
    assert expand_nodes(text) == nodes


def test_slurm_starts_a_worker_on_each_node():
    cluster = cluster_of(SLURM)
    assert (cluster.addresses, cluster.index) == (("gpu1:9", "gpu2:9"), 1)


@pytest.mark.parametrize(("nodes", "equal"), [("gpu[1-3]", True), ("gpu[9-11]", False)])
def test_the_resolver_of_tensorflow_agrees_only_if_node_names_are_sorted(nodes, equal, monkeypatch):
    """It sorts nodes by name, while Slurm numbers tasks in list order: from gpu10 on, addresses are swapped."""
    import tensorflow as tf

    environment = {"SLURM_PROCID": "1", "SLURM_STEP_NODELIST": nodes, "SLURM_STEP_NUM_TASKS": "3"}
    for name, value in (environment | {"SLURM_STEP_TASKS_PER_NODE": "1(x3)"}).items():
        monkeypatch.setenv(name, value)
    resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
        port_base=12345, gpus_per_node=1, gpus_per_task=1, auto_set_gpu=False
    )
    cluster = cluster_of(environment)
    assert (tuple(resolver.cluster_spec().as_dict()["worker"]) == cluster.addresses) == equal
    assert sorted(resolver.cluster_spec().as_dict()["worker"]) == sorted(cluster.addresses)


def test_tf_config_of_vertex_ai_is_unchanged():
    config = {
        "cluster": {"chief": ["a-workerpool0-0:2222"], "worker": ["a-workerpool1-0:2222"]},
        "environment": "cloud",
        "task": {"type": "worker", "index": 0, "trial": ""},
        "job": "{}",
    }
    assert derive_tf_config({"TF_CONFIG": json.dumps(config)}) == json.dumps(config)
    assert cluster_of({"TF_CONFIG": json.dumps(config)}).index == 1


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "The environment names no workers"),
        ({"JOB_COMPLETION_INDEX": "0", "TL_KERAS_JOB": "x"}, "does not set TL_KERAS_SERVICE, TL_KERAS_WORKERS"),
        (SLURM | {"SLURM_STEP_NUM_TASKS": "8"}, "8 tasks on 2 nodes .* --ntasks-per-node=1"),
        (SLURM | {"SLURM_STEP_NODELIST": "gpu[a-b]"}, "expected a form like node"),
    ],
)
def test_missing_variables_are_refused(environment, message):
    with pytest.raises(InputError, match=message):
        derive_tf_config(environment)


def flags_in(text):
    """Parses the flags of the training command in a text."""
    return parse(re.search(r"python -m tl_keras[.]train ([^\n\"]*)", text)[1].split())


def test_the_kubernetes_manifest_is_valid():
    service, job = yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())
    assert (service["kind"], service["spec"]["clusterIP"]) == ("Service", "None")
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    assert spec["completionMode"] == "Indexed" and spec["completions"] == spec["parallelism"]
    assert pod["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"].items() <= spec["template"]["metadata"]["labels"].items()
    [container] = pod["containers"]
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    for index in range(spec["completions"]):
        cluster = cluster_of(environment | {"JOB_COMPLETION_INDEX": str(index)})
        assert cluster.index == index
        assert cluster.addresses[index] == f"{job['metadata']['name']}-{index}.{service['metadata']['name']}:12345"
        assert len(cluster.addresses) == spec["completions"]
    assert flags_in(container["command"][-1]).distribute == "multi_worker"


def test_the_slurm_script_is_valid():
    text = (FOLDER / "slurm.sh").read_text()
    settings = dict(re.findall(r"^#SBATCH --([\w-]+)=(\S+)$", text, re.M))
    nodes = int(settings["nodes"])
    assert settings["ntasks-per-node"] == "1"
    environment = {"SLURM_STEP_NODELIST": f"node[1-{nodes}]", "SLURM_STEP_NUM_TASKS": str(nodes)}
    for index in range(nodes):
        cluster = cluster_of(environment | {"SLURM_PROCID": str(index)})
        assert (cluster.index, len(cluster.addresses)) == (index, nodes)
    assert flags_in(text).distribute == "multi_worker"


def test_the_vertex_ai_job_is_valid():
    job = yaml.safe_load((FOLDER / "vertex_ai.yaml").read_text())
    chief, workers = job["workerPoolSpecs"]
    assert (chief["replicaCount"], workers["replicaCount"] >= 1) == (1, True)
    for pool in (chief, workers):
        assert flags_in(" ".join(pool["containerSpec"]["command"])).distribute == "multi_worker"


def test_the_ssh_script_is_valid():
    text = (FOLDER / "ssh.sh").read_text()
    template = re.search(r"TF_CONFIG='(.*?)'", text)[1].replace('\\"', '"')
    assert read_cluster({"TF_CONFIG": template.replace("$index", "1")}).index == 1
    assert flags_in(text).distribute == "multi_worker"
