"""Domain-adaptive pretraining: masked language modelling on texts of the target domain."""

import importlib
import math

import keras

from tl_keras.adaptation.domain_fitting import make_adaptation_optimizer
from tl_keras.errors import InputError
from tl_keras.models.graph import ordered_nodes

MASKED_SHARE = 0.15
MASK = "[MASK]", "<mask>"


class MaskedLanguageModel(keras.Model):
    """Combines the encoder of a text classifier with a head that predicts masked tokens.

    Devlin et al. 2019 (https://arxiv.org/abs/1810.04805, section 3.1): 15 % of the tokens are selected; 80 % of these
    are replaced by the mask, 10 % by a random token and 10 % stay; the loss is the cross-entropy of the selected
    tokens. The head shares its last matrix with the token embeddings (Press and Wolf 2017,
    https://arxiv.org/abs/1608.05859).

    Args:
        classifier: functional `keras.Model` with token inputs, see `build_text_classifier`. Its layers are shared.

    Raises:
        InputError: the classifier has no `ReversibleEmbedding`.
    """

    def __init__(self, classifier):
        super().__init__(name=f"{classifier.name}_masked")
        hub = importlib.import_module("keras_hub")
        embedding = _token_embedding(classifier)
        self.encoder = keras.Model(classifier.input, _last_sequence(classifier))
        self.token_head = hub.layers.MaskedLMHead(
            token_embedding=embedding, intermediate_activation="gelu", dtype="float32", name="masked_tokens"
        )
        self.token_head.build(self.encoder.output_shape, (None, None))
        self.built = True

    def call(self, inputs, training=None):
        """Predicts the tokens at the masked positions.

        Args:
            inputs: dict of the classifier's inputs and "mask_positions", int32 (batch, selected).
            training: as in Keras.

        Returns:
            float32 (batch, selected, vocabulary), logits.
        """
        tokens = {name: values for name, values in inputs.items() if name != "mask_positions"}
        return self.token_head(self.encoder(tokens, training=training), inputs["mask_positions"])


def pretrain_on_texts(classifier, batches, steps, *, max_tokens, learning_rate=1e-4, weight_decay=0.01):
    """Pretrains the encoder of a classifier on unlabelled texts before fine-tuning.

    Gururangan et al. 2020, "Don't Stop Pretraining" (https://arxiv.org/abs/2004.10964, section 3).

    Args:
        classifier: text classifier with a `tokenizer`, see `build_text_classifier`. Everything before its head is
            trained.
        batches: infinite `tf.data.Dataset` of its inputs, or of tuples that start with them.
        steps: number of batches, at least 1.
        max_tokens: number of tokens of the longest text, at least 1.
        learning_rate: peak learning rate, above 0, default 1e-4.
        weight_decay: as in AdamW, 0 or more, default 0.01.

    Returns:
        Mean cross-entropy of the selected tokens over all steps, in nats.

    Raises:
        InputError: the vocabulary has no mask token.
    """
    hub = importlib.import_module("keras_hub")
    tokenizer = classifier.tokenizer
    vocabulary = tokenizer.layer.get_vocabulary()
    mask = next((tokenizer.layer.token_to_id(word) for word in MASK if word in vocabulary), None)
    if mask is None:
        raise InputError(
            f"The vocabulary of {classifier.name} has no {' or '.join(MASK)}: use an encoder that was pretrained with "
            "a mask token, such as minilm, or leave adaptation.masked_epochs out."
        )
    mask_tokens = hub.layers.MaskedLMMaskGenerator(
        vocabulary_size=len(vocabulary),
        mask_selection_rate=MASKED_SHARE,
        mask_token_id=mask,
        mask_selection_length=max(1, math.ceil(MASKED_SHARE * max_tokens)),
        unselectable_token_ids=[*tokenizer.start_ids, *tokenizer.end_ids, tokenizer.pad_id],
    )

    def make_example(inputs, *_):
        masked = mask_tokens(inputs["token_ids"])
        inputs = inputs | {"token_ids": masked["token_ids"], "mask_positions": masked["mask_positions"]}
        return inputs, masked["mask_ids"], masked["mask_weights"]

    classifier.trainable = True
    learner = MaskedLanguageModel(classifier)
    optimizer = make_adaptation_optimizer(learning_rate, steps, weight_decay=weight_decay)
    # Unused mask positions of short texts have weight zero and must not count in the mean.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    # Keras would trace the step once more to create the optimizer's variables.
    optimizer.build(learner.trainable_variables)
    learner.compile(optimizer, loss)
    history = learner.fit(batches.map(make_example), steps_per_epoch=steps, verbose=0)
    return history.history["loss"][0]


def _token_embedding(classifier):
    for layer in classifier.layers:
        for part in layer._flatten_layers():
            if isinstance(part, keras.layers.ReversibleEmbedding):
                return part
    raise InputError(
        f"{classifier.name} has no reversible token embeddings (keras.layers.ReversibleEmbedding): leave "
        "adaptation.masked_epochs out."
    )


def _last_sequence(classifier):
    """Finds the output of the encoder's last layer for every token."""
    sequences = [
        tensor
        for node in ordered_nodes(classifier)
        for tensor in node.output_tensors
        if len(tensor.shape) == 3 and "." in node.operation.name and not node.operation.name.startswith("head.")
    ]
    return sequences[-1]
