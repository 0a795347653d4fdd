import pytest
import yaml

from tl_keras.evaluation.cards.front_matter import front_matter

METRICS = {"accuracy": 0.89256, "macro_f1": 0.86, "log_loss": None, "score_threshold": 0.5, "examples": 121}
METRICS |= {"intervals": {"accuracy": [0.825, 0.936]}, "per_class": {}}
HOSTILE = ["a: b", "---", "{{x}}", "!!python/object:os.system", "&a *a", "x\n---\ny", "# no", "'\"", "\u202e\x07", "äß"]


def read(text):
    start, body, end = text.split("---\n")[0], text[4:-4], text[-4:]
    assert (start, end) == ("", "---\n")
    return yaml.safe_load(body)


def test_results_have_their_interval_in_the_name():
    metadata = read(front_matter("vgg16 on emoji", "image-classification", "emoji", METRICS))
    assert metadata["library_name"] == "keras" and metadata["pipeline_tag"] == "image-classification"
    assert "license" not in metadata
    (index,) = metadata["model-index"]
    assert index["name"] == "vgg16-on-emoji"
    (result,) = index["results"]
    assert result["dataset"] == {"name": "emoji", "type": "emoji", "split": "test"}
    assert result["metrics"] == [
        {"type": "accuracy", "value": 0.8926, "name": "Accuracy (95 % interval 82.5 % to 93.6 %)"},
        {"type": "f1", "value": 0.86, "name": "Macro F1"},
    ]


def test_a_kind_that_the_hub_does_not_know_has_neither_a_tag_nor_results():
    metadata = read(front_matter("x", "image-regression", "y", METRICS))
    assert set(metadata) == {"library_name", "tags"}


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_names(name):
    (index,) = read(front_matter(name, "text-classification", name, METRICS))["model-index"]
    assert index["results"][0]["dataset"]["name"] == name


@pytest.mark.parametrize("name", HOSTILE)
def test_the_reader_of_the_hub_accepts_it(name):
    hub = pytest.importorskip("huggingface_hub")
    text = front_matter(name, "object-detection", name, METRICS)
    card = hub.ModelCard(f"{text}\n# Title\n", ignore_metadata_errors=False)
    assert [result.metric_value for result in card.data.eval_results] == [0.8926, 0.86]
    assert {result.task_type for result in card.data.eval_results} == {"object-detection"}
    again = hub.ModelCard(str(card))
    assert again.data.to_dict() == card.data.to_dict() and again.text.strip() == "# Title"
