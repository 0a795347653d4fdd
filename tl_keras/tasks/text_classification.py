"""The task "text_classification": sentiment, topics or pairs of texts, from tables, folders or data sets of TFDS."""

import importlib
import os
from dataclasses import replace

import numpy as np

from tl_keras import data, evaluation, explanation, models, transfer
from tl_keras.data.texts.duplicates import remove_duplicates, text_key
from tl_keras.data.texts.text_items import find_text_items
from tl_keras.errors import InputError, UnusedSetting, counted, quoted
from tl_keras.models.head_options import DEFAULT_DROPOUT, TEXT_POOLINGS
from tl_keras.models.texts.backbones import MINILM, TEXT_BACKBONES
from tl_keras.recipes import TEXT_HEAD_RATE
from tl_keras.system import devices
from tl_keras.system.user_cache import user_cache
from tl_keras.tasks.base import VALIDATION_FRACTION, ReportExtras, global_batch_size, print_notes
from tl_keras.tasks.classification import (
    ClassificationTask,
    class_weights,
    head_settings,
    most_probable,
    require_examples,
    split_examples,
)
from tl_keras.tasks.data_settings import table_columns
from tl_keras.tasks.label_writers import TOP
from tl_keras.tasks.report_examples import EXPLAINED_TEXTS, explain_or_none, show_text, text_sheet
from tl_keras.tasks.text_mistakes import one_line, shorten, texts_of, worst_text_mistakes, write_mistakes
from tl_keras.tasks.text_notes import note_cuts, note_unknown, refuse_unknown
from tl_keras.tasks.text_prediction import embed_texts, predict_texts, takes_tokens

MIN_CACHED = 20_000
"""Texts from which on the token ids are kept on disk; fewer are tokenized in less than two seconds."""
TEXTS_AT_ONCE = 1024
"""Texts of a command line that are predicted at once."""


class TextClassification(ClassificationTask):
    """Classifies texts or pairs of texts."""

    name = "text_classification"
    item_kind = "text"
    min_tuned_labels = 500
    max_compared_labels = 500
    head_poolings = ("average",)
    defaults = {
        "data": {"path": "reviews", "augmentation": "none", "validation_fraction": VALIDATION_FRACTION},
        "model": {"backbone": MINILM, "weights": "pretrained", "dropout": DEFAULT_DROPOUT},
    }
    unused_settings = {
        "data": ("image_size", "resize", "path_column", "max_decoded_gigabytes"),
        "detection": None,
    }
    named_weights = ("pretrained", "none")
    accepts_backbone_folders = True
    takes_texts = True
    supports_masked_pretraining = True
    has_batch_norm = False
    head_learning_rate = TEXT_HEAD_RATE
    example_columns = ("name", "text")
    result_files = ("confusion_matrix.png", "mistakes.csv", "predictions.csv")
    usage = '"I love this product!"'
    prediction_options = ("top", "min_confidence", "files", "text_column", "second_text_column")

    def backbones(self, config):
        """Lists the text encoders."""
        return list(TEXT_BACKBONES)

    def check_config(self, config):
        """Refuses settings of images and boxes."""
        if config.model.pooling not in (None, *TEXT_POOLINGS):
            message = (
                f"model.pooling {config.model.pooling} is for images: take {' or '.join(TEXT_POOLINGS)} for texts."
            )
            raise UnusedSetting(message, "model.pooling")
        super().check_config(config)

    def find_labelled(self, config, path):
        """Reads labelled texts, see `find_texts`."""
        return data.find_texts(path, table_columns(config))

    def load_data(self, config):
        """Reads, checks, splits and tokenizes the texts; returns `TokenSplits`."""
        records = self.find_labelled(config, config.data.path)
        records = _remove_duplicates(config, split_examples(config, records, list(map(text_key, records.sources))))
        names = {"training": "train", "validation": "validation", "test": "test"}
        require_examples(config, "texts", {name: len(records.rows(split)) for name, split in names.items()})
        splits = replace(_tokenize(config, records), skipped=list(records.skipped))
        splits = replace(splits, notes=(*records.notes, *note_unknown(config, splits)))
        print_notes(splits.notes)
        return splits

    def describe(self, config, splits):
        """Counts texts, classes and tokens."""
        split = f" ({counted(len(splits.train), 'training window')})" if splits.train.owners is not None else ""
        cut = f"; {splits.cut_tokens_share:.1%} of the tokens are cut away" if splits.cut_tokens_share else ""
        tokens = f"{splits.train.lengths.mean():.0f} tokens on average, {splits.train.lengths.max()} at most"
        unknown = splits.unknown_tokens_share
        cut += f"; {unknown:.1%} of the tokens are unknown to the tokenizer" if unknown >= 0.0005 else ""
        skipped = f"; {counted(len(splits.skipped), 'text')} skipped" if splits.skipped else ""
        counts, classes = self.list_counts(splits), len(splits.class_names)
        return f"{counts} texts{split} of {counted(classes, 'class')}, {tokens}{cut}{skipped}"

    def preview(self, config, splits, folder):
        """Lists the skipped texts in `skipped.txt`."""
        data.write_skipped(folder / "skipped.txt", splits.skipped)

    def load_test_data(self, run, path, split=None):
        """Reads labelled texts as `Records`; the model of the run holds its tokenizer."""
        records = data.align_classes(self.find_labelled(run.config, path), run.class_names)
        records = _remove_duplicates(run.config, data.choose_test_examples(records, path, split))
        print_notes(records.notes)
        return replace(records, sources=_prepare(run.config, records.sources))

    def count(self, part):
        """Counts texts, not windows."""
        return len(part.first_rows)

    def content(self, name, part):
        """Yields names, labels and texts."""
        yield repr((name, part.names, part.labels.tolist(), part.texts)).encode("utf-8", "surrogatepass")

    def find_target(self, config, class_names):
        """Reads the texts of the target domain, see `find_target_texts`."""
        return data.find_target_texts(
            config.adaptation.target,
            class_names,
            table_columns(config),
            unknown_classes=config.adaptation.unknown_classes,
        )

    def load_target(self, config, records, splits):
        """Tokenizes the texts of the target domain."""
        target = _tokenize(config, records)
        print_notes(f"target: {note}" for note in note_unknown(config, target))
        return target

    def find_pool(self, config, path):
        """Reads unlabelled texts, see `find_pool_texts`."""
        return data.find_pool_texts(path, table_columns(config))

    def load_pool(self, config, records, image_size):
        """Tokenizes unlabelled texts."""
        return _tokenize(config, records).train, []

    def build_model(self, config, splits):
        """Builds the classifier over token ids, see `build_text_classifier`."""
        classifier = models.build_text_classifier(
            config.model.backbone, len(splits.class_names), **head_settings(config, splits.class_names)
        )
        if not devices.uses_xla(config.xla):
            models.use_fused_layers(classifier)
        return classifier

    def training_inputs(self, config, splits, first_epoch, features=None, num_replicas=1):
        """Prepares shuffled batches of token ids, or of their cached activations."""
        batch_size, shapes = global_batch_size(config, num_replicas), _batch_shapes(config, num_replicas)
        train, validation = (features.train, features.validation) if features else (None, None)
        held_out = splits.validation
        return {
            "x": data.make_token_dataset(
                splits.train, batch_size, shuffle_seed=config.seed, first_epoch=first_epoch, features=train, **shapes
            ),
            "shuffle": False,
            "steps_per_epoch": data.token_steps_per_epoch(splits.train, batch_size, **shapes),
            "validation_data": data.make_token_dataset(held_out, batch_size, features=validation, **shapes)
            if len(held_out)
            else None,
            "class_weight": class_weights(config, splits.train),
        }

    def activation_sources(self, config, splits, num_replicas=1):
        """Returns the `TokenSource` of the training and of the validation texts."""
        batch_size, shapes = global_batch_size(config, num_replicas), _batch_shapes(config, num_replicas)
        return tuple(transfer.TokenSource(part, batch_size, **shapes) for part in (splits.train, splits.validation))

    def save_model(self, config, model, folder):
        """Saves the model with its tokenizer in front, so that it takes strings."""
        text = config.text
        whole = models.with_text_input(
            model,
            max_tokens=text.max_tokens,
            truncation=text.truncation,
            windows=text.windows,
            pair=text.second_text_column is not None,
        )
        super().save_model(config, whole, folder)

    def open_model(self, config, path, num_classes):
        """Opens the saved model, which takes strings."""
        # Keras knows the tokenizer in the file only once KerasHub, which takes seconds to load, has registered it.
        importlib.import_module("keras_hub")
        return super().open_model(config, path, num_classes)

    def model_inputs(self, config):
        """Describes the texts or pairs of texts that the saved model takes."""
        pairs = config.text.second_text_column is not None
        return {"text": models.TEXTS, "text_pair": models.TEXTS} if pairs else models.TEXTS

    def predict(self, model, examples, batch_size):
        """Computes the probabilities of n texts, float32 (n, num_classes), see `predict_texts`."""
        return predict_texts(model, examples, batch_size)

    def example_labels(self, part):
        """Returns the labels of texts, not of windows."""
        return part.labels if isinstance(part, data.Records) else part.labels[part.first_rows]

    def example_cells(self, part):
        """Lists the name and the beginning of each text."""
        rows = range(len(part)) if isinstance(part, data.Records) else part.first_rows
        texts = texts_of(part)
        return [(part.names[row], shorten(one_line(texts[row]))) for row in rows]

    def measure_baselines(self, config, splits):
        """Adds TF-IDF on the same texts, unless it cannot learn from them."""
        train, test = splits.train, splits.test
        texts = [[part.texts[row] for row in part.first_rows] for part in (train, test)]
        tfidf = evaluation.tfidf_baseline(
            texts[0],
            self.example_labels(train),
            texts[1],
            self.example_labels(test),
            splits.class_names,
            config.data.multi_label,
        )
        return [*super().measure_baselines(config, splits), *([tfidf] if tfidf else [])]

    def write_mistakes(self, predictions, examples, folder):
        """Writes the most confident mistakes, if there are any, to `mistakes.csv`."""
        write_mistakes(worst_text_mistakes(examples, predictions), folder / "mistakes.csv")

    def show_training(self, config, examples):
        """Shows training texts, cleaned and with the number of their tokens."""
        return text_sheet(config, examples)

    def show_worst(self, config, model, examples, predictions):
        """Shows the most confident mistakes with integrated gradients, if the model takes strings as it is saved."""
        if takes_tokens(model):
            return ()
        texts, names = texts_of(examples), examples.class_names
        rows = evaluation.worst_mistakes(examples.labels, predictions, EXPLAINED_TEXTS)
        explained = explain_or_none(
            lambda: [explanation.explain_text(model, _as_input(texts[row]), predictions[row], names) for row in rows]
        )
        words = [explanation.shade_words(one.words) for one in explained] if explained else [()] * len(rows)
        return tuple(show_text(examples, predictions, row, one) for row, one in zip(rows, words, strict=True))

    def example_shower(self, examples, predictions):
        """Returns a function that shows a text."""
        return lambda row: show_text(examples, predictions, row)

    def report_extras(self, config, splits, predictions, metrics, baselines=()):
        """Adds the mistakes, the shares of texts and tokens that were cut or are unknown, and the baselines."""
        names = ("cut_texts_share", "cut_tokens_share", "unknown_tokens_share")
        return ReportExtras(
            metrics={name: getattr(splits, name) for name in names},
            notes=(*splits.notes, *note_cuts(config, splits)),
            skipped=splits.skipped,
            mistakes=worst_text_mistakes(splits.test, predictions),
            **self.compare_with_baselines(config, splits, predictions, metrics, baselines),
        )

    def card_facts(self, config, model):
        """States whether the model takes pairs of texts."""
        return {"pairs": config.text.second_text_column is not None}

    def raw_inputs(self, config, examples):
        """Returns the texts as `text`, and for pairs the second ones as `text_pair`."""
        texts = texts_of(examples)
        if config.text.second_text_column is None:
            return {"text": list(texts)}
        return {name: list(part) for name, part in zip(("text", "text_pair"), zip(*texts, strict=True), strict=True)}

    def predict_new(self, config, model, examples):
        """Computes the probabilities of texts in memory.

        They are cleaned and cut as in training, see `data.prepare_text`; the saved model on its own takes strings as
        they are.

        Args:
            config: `RunConfig` of the run.
            model: classifier over strings.
            examples: list of str, or for a run on pairs of tuples of two str.

        Returns:
            float32 (n, num_classes).

        Raises:
            InputError: the examples are not such texts.
        """
        texts = _check_given(config, examples)
        return predict_texts(model, data.Records(texts, [""] * len(texts), np.zeros(0), [], ()), config.data.batch_size)

    def embed(self, config, model, examples):
        """Computes the features of texts in memory, of a long text the mean over its windows."""
        # The rows of a batch of texts in windows do not say which text they belong to.
        batch_size = config.data.batch_size if config.text.windows == 1 else 1
        return embed_texts(model, _check_given(config, examples), batch_size)

    def explain(self, config, model, examples, class_names, options):
        """Explains texts in memory by integrated gradients, a list of `TextExplanation`."""
        texts = _check_given(config, examples)
        rows = zip(self.predict_new(config, model, examples), texts, strict=True)
        return [
            explanation.explain_text(model, _as_input(text), row, class_names, options.number) for row, text in rows
        ]

    def find_items(self, config, arguments, options):
        """Collects the texts that the arguments give, a list of `TextItem`."""
        columns = table_columns(config)
        if options.second_text_column is not None and columns.second_text is None:
            raise InputError("--second_text_column is for runs on pairs of texts: leave it out.")
        columns = replace(
            columns,
            text=options.text_column or columns.text,
            second_text=options.second_text_column or columns.second_text,
        )
        return find_text_items(arguments, columns, are_files=bool(options.files))

    def predict_items(self, run, items, options):
        """Predicts texts; a prediction is a list of (class name, probability), the most probable first."""
        for start in range(0, len(items), TEXTS_AT_ONCE):
            part = items[start : start + TEXTS_AT_ONCE]
            probabilities_of_part = run.predict([item.text for item in part])
            for item, probabilities in zip(part, probabilities_of_part, strict=True):
                yield item, most_probable(probabilities, run.class_names, options.top or TOP), None


def _remove_duplicates(config, records):
    settings = config.data
    return remove_duplicates(records, on_bad_file=settings.on_bad_file, max_bad_files=settings.max_bad_files)


def _tokenize(config, records):
    # A missing folder, or weights that pip cannot download, are reported before TensorFlow takes its seconds to load.
    models.find_text_source(config.model.backbone)
    devices.load_tensorflow()
    tokenizer = models.build_tokenizer(config.model.backbone)
    # Refuses one that cannot be part of a saved model, before training.
    _ = tokenizer.padding_ids
    splits = data.tokenize_splits(
        records,
        tokenizer.encode,
        _token_format(tokenizer, config.text),
        fingerprint=tokenizer.fingerprint,
        cache_folder=user_cache() / "tokens" if len(records) >= MIN_CACHED else None,
    )
    share = data.unknown_share((splits.train, splits.validation, splits.test), *_unknown_ids(tokenizer))
    refuse_unknown(config, share)
    return replace(splits, unknown_tokens_share=share)


def _unknown_ids(tokenizer):
    special = (*tokenizer.start_ids, *tokenizer.separator_ids, *tokenizer.end_ids, tokenizer.pad_id)
    return tokenizer.unknown_id, special


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


def _batch_shapes(config, num_replicas):
    tokens_per_batch = config.text.tokens_per_batch
    return {
        "tokens_per_batch": tokens_per_batch and tokens_per_batch * num_replicas,
        "few_shapes": devices.uses_xla(config.xla),
    }


def _prepare(config, texts):
    """Cleans and cuts texts as in training."""
    room = config.text.max_tokens * config.text.windows
    return [data.prepare_text(text, room, config.text.truncation) for text in texts]


def _check_given(config, examples):
    """Returns the texts that a caller gave, one or a list, cleaned and cut; refuses anything else."""
    pairs = config.text.second_text_column is not None
    texts = [examples] if _is_text(examples, pairs) else examples
    is_listed = hasattr(texts, "__len__") and not isinstance(texts, str | bytes | dict)
    if not (is_listed and len(texts) and all(_is_text(text, pairs) for text in texts)):
        expected = "a tuple of two strings, or a list of them" if pairs else "a text, or a list of texts"
        raise InputError(f"Cannot predict {shorten(repr(examples))}: expected {expected}, at least one.")
    if texts is not examples and isinstance(examples, str) and os.path.isfile(examples):
        raise InputError(
            f"Cannot predict {quoted(examples)}: it is a file, and texts are taken as they are; give a list of its "
            f"texts, or [{quoted(examples)}] for the text itself."
        )
    return _prepare(config, texts)


def _as_input(text):
    """Returns a text as the saved model takes it, and a pair as a dict."""
    return dict(zip(("text", "text_pair"), text, strict=True)) if isinstance(text, tuple) else text


def _is_text(text, pairs):
    if pairs:
        return isinstance(text, tuple) and len(text) == 2 and all(isinstance(part, str) for part in text)
    return isinstance(text, str)
