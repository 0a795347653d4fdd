"""The task "text_classification": from tables or folders of texts to a classifier, its figures and its mistakes."""

import csv
import functools
import hashlib
import importlib
from dataclasses import replace

import numpy as np

from tl_keras import data, evaluation, models, transfer
from tl_keras.errors import InputError
from tl_keras.recipes import TEXT_HEAD_RATE
from tl_keras.system import devices
from tl_keras.system.escaping import csv_cell
from tl_keras.system.user_cache import user_cache

HEAD_RATE = TEXT_HEAD_RATE
"""Learning rate of a head that learns alone, where a recipe chooses it."""
NEW_BLOCKS = ("head",)
"""Blocks that no pretrained backbone brings."""
PATIENCE = 1
"""How many times longer than the rule of the recipes phases take."""
EXAMPLE = '"I love this product!"'
"""What `predict` takes after the run."""
CACHED_FROM = 20_000
"""So many texts are tokenized once and kept on disk; fewer take less than two seconds."""
MAX_MISTAKES = 20
BASELINE_FIGURES = ("accuracy", "subset_accuracy", "macro_f1")


def check_sources(config):
    """Refuses local weights that are not there, before any text is read.

    Args:
        config: `RunConfig` of a run that is to be trained; a finished one does not need its old weights any more.

    Raises:
        InputError: names the path.
    """
    if config.model.weights not in ("pretrained", "none"):
        models.find_weight_file(config.model.weights)


def load_data(config):
    """Reads, checks, splits and tokenizes the texts.

    Args:
        config: `RunConfig`.

    Returns:
        `TokenSplits`; see there and in `tokenize_splits` what becomes of windows.

    Raises:
        InputError: the data cannot be used; the message says why.
    """
    settings = config.data
    records = data.split_records(
        _find_texts(config, settings.path),
        validation_fraction=settings.validation_fraction,
        test_fraction=settings.test_fraction,
        examples_per_class=settings.examples_per_class,
        seed=config.seed,
    )
    for split, name in (("train", "training"), ("validation", "validation"), ("test", "test")):
        if not len(records.rows(split)):
            raise InputError(
                f"No text is left for the {name} split of {settings.path!r}: expected at least 3 texts of a class, or "
                f"a split column or folder that names one."
            )
    for note in records.notes:
        print(f"note: {note}", flush=True)
    return _tokenized(config, records)


def find_target(config, class_names):
    """Reads the texts of the target domain, see `find_target_texts`.

    Args:
        config: `RunConfig`.
        class_names: the classes of the source.

    Returns:
        `Records`.
    """
    return data.find_target_texts(
        config.adaptation.target,
        class_names,
        functools.partial(_find_texts, config),
        text_column=config.text.text_column,
        second_text_column=config.text.second_text_column,
        label_column=config.data.label_column,
        unknown_classes=config.adaptation.unknown_classes,
    )


def load_target(config, records, splits):
    """Tokenizes the texts of the target domain.

    Args:
        config: `RunConfig`.
        records: `Records` whose splits are decided.
        splits: `TokenSplits` of the source.

    Returns:
        `TokenSplits`, of which parts may be empty.
    """
    return _tokenized(config, records)


def describe(splits):
    """Says in one line what the run learns from.

    Args:
        splits: `TokenSplits`.
    """
    counts = ", ".join(f"{len(part.first_rows)} {name}" for name, part in _parts(splits).items())
    split = f" ({len(splits.train)} training windows)" if splits.train.owners is not None else ""
    cut = f"; {splits.cut_tokens_share:.1%} of the tokens are cut away" if splits.cut_tokens_share else ""
    tokens = f"{splits.train.lengths.mean():.0f} tokens on average, {splits.train.lengths.max()} at most"
    return f"{counts} texts{split} of {len(splits.class_names)} classes, {tokens}{cut}"


def preview(config, splits, folder):
    """Draws nothing: what the run learns from is shown by its report."""


def load_test_data(run, path):
    """Reads other texts to test a finished run on.

    Args:
        run: `TrainedRun`.
        path: labelled data, all of which are taken.

    Returns:
        `Records`; the model of the run has its tokenizer inside.

    Raises:
        InputError: the data cannot be used, or have a class that the model does not know.
    """
    records = data.align_classes(_find_texts(run.config, path), run.class_names)
    return replace(records, sources=_prepared(run.config, records.sources))


def fingerprint(splits):
    """Tells data apart.

    Args:
        splits: `TokenSplits`.

    Returns:
        Dict of the numbers of texts and classes, and a hash of their names, splits, labels and words.
    """
    digest = hashlib.sha256(repr(splits.class_names).encode())
    for name, part in _parts(splits).items():
        content = repr((name, part.names, part.labels.tolist(), part.texts))
        digest.update(content.encode("utf-8", "surrogatepass"))
    counts = {name: len(part.first_rows) for name, part in _parts(splits).items()}
    return counts | {"classes": len(splits.class_names), "sha256": digest.hexdigest()}


def build_model(config, splits):
    """Builds the classifier for the classes of the data.

    Args:
        config: `RunConfig`.
        splits: `TokenSplits`.

    Returns:
        `keras.Model` over tokens, see `build_text_classifier`.
    """
    model = config.model
    classifier = models.build_text_classifier(
        model.backbone,
        len(splits.class_names),
        weights=model.weights,
        weights_sha256=model.weights_sha256,
        pooling=model.pooling,
        dropout=model.dropout,
        hidden_units=model.hidden_units,
        multi_label=config.data.multi_label,
        class_names=splits.class_names,
    )
    if classifier.weights_report:
        print(classifier.weights_report, flush=True)
    if not devices.uses_xla(config.xla):
        models.use_fused_layers(classifier)
    return classifier


def compile_model(config, model, optimizer):
    """Compiles the classifier, or a suffix of it.

    Args:
        config: `RunConfig`.
        model: what `build_model` returned, or its last part.
        optimizer: Keras optimizer.
    """
    models.compile_classifier(
        model,
        optimizer,
        multi_label=config.data.multi_label,
        label_smoothing=config.model.label_smoothing,
        xla=config.xla,
    )


def activation_sources(config, splits):
    """Says what goes through the frozen part of a model, where what it computes is stored.

    Args:
        config: `RunConfig`.
        splits: `TokenSplits`.

    Returns:
        Tuple of two `TokenSource`: training and validation texts.
    """
    sizes = (config.data.batch_size, config.text.tokens_per_batch, devices.uses_xla(config.xla))
    return transfer.TokenSource(splits.train, *sizes), transfer.TokenSource(splits.validation, *sizes)


def training_inputs(config, splits, first_epoch, features=None):
    """Prepares what `fit` reads.

    Args:
        config: `RunConfig`.
        splits: `TokenSplits`.
        first_epoch: epoch of the run, counted from 0, that the data begin with.
        features: `Features` to train on in place of the tokens; None trains on the tokens.

    Returns:
        Dict of arguments of `fit`: the training data, the number of steps, the validation data, the class weights.
    """
    batch_size = config.data.batch_size
    room = {"tokens_per_batch": config.text.tokens_per_batch, "few_shapes": devices.uses_xla(config.xla)}
    train, validation = (features.train, features.validation) if features else (None, None)
    return {
        "x": data.make_token_dataset(
            splits.train, batch_size, shuffle_seed=config.seed, first_epoch=first_epoch, features=train, **room
        ),
        "shuffle": False,
        "steps_per_epoch": data.token_steps_per_epoch(splits.train, batch_size, **room),
        "validation_data": data.make_token_dataset(splits.validation, batch_size, features=validation, **room),
        "class_weight": _class_weights(splits.train) if config.data.class_weight == "balanced" else None,
    }


def predict(model, texts, batch_size):
    """Computes the probabilities of every text, those of like length together.

    Args:
        model: classifier over tokens, or over strings as `save_trained` saves it.
        texts: `TokenSet` or `Records` of n texts; over tokens, `TokenSet`.
        batch_size: texts computed at once.

    Returns:
        float32 (n, num_classes), in the order of the texts.
    """
    if _takes_tokens(model) and texts.windows is not None:
        return _predict_windows(model, texts.windows, batch_size)
    probabilities = np.zeros((len(texts), model.output_shape[-1]), "float32")
    for rows, inputs in _batches(model, texts, batch_size):
        probabilities[rows] = model.predict_on_batch(inputs)
    return probabilities


def evaluate(config, probabilities, texts, folder, score_threshold=None):
    """Measures predictions and writes down what they get wrong.

    Args:
        config: `RunConfig`.
        probabilities: float32 (n, num_classes).
        texts: `TokenSet` or `Records` of the n texts with their true labels.
        folder: path where `mistakes.csv` and, where the metrics have one, `confusion_matrix.png` are written.
        score_threshold: None, see `choose_threshold`.

    Returns:
        Tuple of the metrics, a dict ready for JSON, and the pictures, a list of (caption, path).
    """
    multi_label = config.data.multi_label
    metrics = evaluation.classification_metrics(texts.labels, probabilities, texts.class_names, multi_label)
    with open(folder / "mistakes.csv", "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        writer = csv.DictWriter(file, ["text", "true", "predicted", "probability"])
        writer.writeheader()
        for mistake in _mistakes(texts, probabilities):
            writer.writerow({name: csv_cell(cell) if isinstance(cell, str) else cell for name, cell in mistake.items()})
    if "confusion_matrix" not in metrics:
        return metrics, []
    picture = folder / "confusion_matrix.png"
    evaluation.plot_confusion_matrix(np.array(metrics["confusion_matrix"]), texts.class_names, picture)
    return metrics, [("Confusion matrix", picture)]


def choose_threshold(config, model, splits):
    """Returns None: the class of the largest probability is the answer, whatever it is."""
    return None


def report_extras(config, splits, probabilities, metrics):
    """Gathers what else the report shows: the mistakes as text, and what TF-IDF makes of the same texts.

    Args:
        config: `RunConfig`.
        splits: `TokenSplits`.
        probabilities: float32 (n, num_classes), of the test texts.
        metrics: what `evaluate` returned for them. The shares of texts and tokens that were cut are put into it.

    Returns:
        Dict of arguments of `write_report`.
    """
    train, test, multi_label = splits.train, splits.test, config.data.multi_label
    metrics["cut_texts_share"], metrics["cut_tokens_share"] = splits.cut_texts_share, splits.cut_tokens_share
    extras = {"skipped": [], "mistakes": _mistakes(test, probabilities), "notes": _cut_note(config, splits)}
    rows = train.first_rows
    found = evaluation.tfidf_baseline(
        [train.texts[row] for row in rows],
        train.labels[rows],
        test.texts,
        test.labels,
        splits.class_names,
        multi_label,
    )
    if found is None:
        return extras
    figures = {name: found[name] for name in BASELINE_FIGURES if name in found}
    verdict = evaluation.compare_with_baseline(metrics, found, multi_label)
    return extras | {"baseline": {"name": evaluation.BASELINE_NAME, **figures, "verdict": verdict}}


def save_trained(config, model, folder):
    """Puts the tokenizer in front of the trained model and saves both as `model.keras`, which takes strings.

    Args:
        config: `RunConfig`.
        model: what `build_model` returned, trained.
        folder: path of the run folder.
    """
    text = config.text
    pair = text.second_text_column is not None
    whole = models.with_text_input(
        model, max_tokens=text.max_tokens, truncation=text.truncation, windows=text.windows, pair=pair
    )
    models.save_model(whole, folder / "model.keras")


def card_facts(config, model):
    """Tells what the model takes.

    Args:
        config: `RunConfig`.
        model: classifier.

    Returns:
        Dict of arguments of `write_model_card`.
    """
    return {"pairs": config.text.second_text_column is not None}


def open_model(path):
    """Opens the saved model of a run.

    Args:
        path: the `.keras` file.

    Returns:
        Uncompiled `keras.Model` from strings to probabilities.
    """
    # Keras knows the tokenizer in the file only once KerasHub, which takes seconds to load, has registered it.
    importlib.import_module("keras_hub")
    return models.open_model(path)


def predict_new(config, model, texts):
    """Computes the probabilities of texts that are in memory.

    They are cleaned and cut as those of the training were, see `data.prepare_text`: the saved model on its own takes
    strings as they are.

    Args:
        config: `RunConfig` of the run.
        model: classifier over strings.
        texts: list of str, or for a run on pairs of tuples of two str.

    Returns:
        float32 (n, num_classes).

    Raises:
        InputError: these are no such texts.
    """
    pairs = config.text.second_text_column is not None
    if isinstance(texts, str) or not len(texts) or not all(_is_text(text, pairs) for text in texts):
        expected = "tuples of two strings" if pairs else "strings"
        raise InputError(f"Cannot predict {_shortened(repr(texts))}: expected a list of {expected}, at least one.")
    records = data.Records(_prepared(config, texts), [""] * len(texts), np.zeros(0), [], ())
    return predict(model, records, config.data.batch_size)


def _parts(splits):
    return {"training": splits.train, "validation": splits.validation, "test": splits.test}


def _find_texts(config, path):
    return data.find_texts(
        path,
        text_column=config.text.text_column,
        second_text_column=config.text.second_text_column,
        label_column=config.data.label_column,
        split_column=config.data.split_column,
        multi_label=config.data.multi_label,
    )


def _tokenized(config, records):
    # A folder that is none, or weights that pip cannot fetch, are told before TensorFlow takes its seconds to load.
    models.find_text_source(config.model.backbone)
    devices.load_tensorflow()
    tokenizer = models.build_tokenizer(config.model.backbone)
    models.require_padding(tokenizer)
    return data.tokenize_splits(
        records,
        tokenizer.encode,
        _token_format(tokenizer, config.text),
        fingerprint=tokenizer.fingerprint,
        cache_folder=user_cache() / "tokens" if len(records) >= CACHED_FROM else None,
    )


def _token_format(tokenizer, text):
    if text.max_tokens > tokenizer.max_tokens:
        raise InputError(
            f"text.max_tokens is {text.max_tokens}, but the encoder has {tokenizer.max_tokens} positions: give "
            f"{tokenizer.max_tokens} or less."
        )
    return data.TokenFormat(
        start_ids=tokenizer.start_ids,
        separator_ids=tokenizer.separator_ids,
        end_ids=tokenizer.end_ids,
        pad_id=tokenizer.pad_id,
        has_segments=tokenizer.has_segments,
        max_tokens=text.max_tokens,
        truncation=text.truncation,
        windows=text.windows,
    )


def _batches(model, texts, batch_size):
    """Yields (rows, inputs) of batches of like length."""
    if _takes_tokens(model):
        yield from data.token_batches(texts, batch_size, few_shapes=model.jit_compile)
        return
    sources = _texts_of(texts)
    order = np.argsort([len(_one_line(text)) for text in sources], kind="stable")
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield rows, _string_inputs(model, [sources[row] for row in rows])


def _takes_tokens(model):
    return isinstance(model.input, dict) and "token_ids" in model.input


def _predict_windows(model, windows, batch_size):
    """Averages the logits of the windows of each text, as the saved model does."""
    to_logits = models.logits_part(model)
    logits = np.zeros((len(windows), model.output_shape[-1]), "float32")
    for rows, inputs in _batches(to_logits, windows, batch_size):
        logits[rows] = to_logits.predict_on_batch(inputs)
    return models.average_windows(model, logits, windows.owners)


def _prepared(config, texts):
    """Makes texts what the training saw of such."""
    room = config.text.max_tokens * config.text.windows
    return [data.prepare_text(text, room, config.text.truncation) for text in texts]


def _cut_note(config, splits):
    if not splits.cut_tokens_share:
        return []
    text = config.text
    return [
        f"{splits.cut_texts_share:.1%} of the texts were too long and lost {splits.cut_tokens_share:.1%} of all "
        f"tokens: --text.max_tokens (here {text.max_tokens}) and --text.windows ({text.windows}) let more of them in, "
        f"--text.truncation ({text.truncation}) says what stays."
    ]


def _string_inputs(model, texts):
    if not isinstance(model.input, dict):
        return np.array(texts, object)
    first, second = zip(*texts, strict=True)
    return {"text": np.array(first, object), "text_pair": np.array(second, object)}


def _texts_of(texts):
    return texts.sources if isinstance(texts, data.Records) else texts.texts


def _mistakes(texts, probabilities):
    found, sources = [], _texts_of(texts)
    for row in evaluation.worst_mistakes(texts.labels, probabilities, MAX_MISTAKES):
        label, scores = texts.labels[row], probabilities[row]
        if texts.labels.ndim == 1:
            true, predicted, probability = [label], [scores.argmax()], scores.max()
        else:
            true, predicted = np.flatnonzero(label), np.flatnonzero(scores >= evaluation.THRESHOLD)
            probability = np.abs(label - scores).max()
        found.append(
            {
                "text": _shortened(_one_line(sources[row])),
                "true": _names(texts, true),
                "predicted": _names(texts, predicted),
                "probability": float(probability),
            }
        )
    return found


def _names(texts, classes):
    return ", ".join(texts.class_names[index] for index in classes) or "none"


def _one_line(text):
    return " | ".join(text) if isinstance(text, tuple) else text


def _shortened(text, most=500):
    return text if len(text) <= most else f"{text[:most]} …"


def _is_text(text, pairs):
    if pairs:
        return isinstance(text, tuple) and len(text) == 2 and all(isinstance(part, str) for part in text)
    return isinstance(text, str)


def _class_weights(token_set):
    counts = np.bincount(token_set.labels, minlength=len(token_set.class_names))
    return dict(enumerate((len(token_set) / (len(counts) * counts)).tolist()))
