"""Domain-adaptive pretraining: an encoder reads texts of the target, words of which are hidden from it."""

import importlib
import math

import keras

from tl_keras.adaptation.domain_fitting import make_adaptation_optimizer
from tl_keras.errors import InputError
from tl_keras.transfer.activations.cuts import ordered_nodes

MASKED_SHARE = 0.15
MASK = "[MASK]", "<mask>"


class MaskedLanguageModel(keras.Model):
    """The encoder of a text classifier, and a head that guesses hidden tokens from their surroundings.

    Devlin et al. 2019 (https://arxiv.org/abs/1810.04805, section 3.1): 15 % of the tokens are chosen; of these 80 % are
    replaced by the mask, 10 % by any token and 10 % stay; the loss is the cross-entropy of the chosen ones. The head
    shares its last matrix with the embeddings of the tokens (Press and Wolf 2017, https://arxiv.org/abs/1608.05859).

    Args:
        classifier: functional `keras.Model` over tokens, see `build_text_classifier`. Its layers are shared.

    Raises:
        InputError: its embeddings cannot be read backwards.
    """

    def __init__(self, classifier):
        super().__init__(name=f"{classifier.name}_masked")
        hub = importlib.import_module("keras_hub")
        embedding = _token_embedding(classifier)
        self.encoder = keras.Model(classifier.input, _last_sequence(classifier))
        self.guess = hub.layers.MaskedLMHead(
            token_embedding=embedding, intermediate_activation="gelu", dtype="float32", name="masked_tokens"
        )
        self.guess.build(self.encoder.output_shape, (None, None))
        self.built = True

    def call(self, inputs, training=None):
        """Guesses tokens.

        Args:
            inputs: what the classifier takes, and "mask_positions", int32 (batch, chosen).
            training: as in Keras.

        Returns:
            float32 (batch, chosen, vocabulary), logits.
        """
        tokens = {name: values for name, values in inputs.items() if name != "mask_positions"}
        return self.guess(self.encoder(tokens, training=training), inputs["mask_positions"])


def pretrain_on_texts(classifier, batches, steps, *, max_tokens, learning_rate=1e-4, weight_decay=0.01):
    """Lets the encoder of a classifier read texts without labels, before it is fine-tuned.

    Gururangan et al. 2020, "Don't Stop Pretraining" (https://arxiv.org/abs/2004.10964, section 3).

    Args:
        classifier: text classifier with its `tokenizer`, see `build_text_classifier`. All of it before the head learns.
        batches: `tf.data.Dataset` without end of what it takes, or of tuples that begin with it.
        steps: number of batches.
        max_tokens: tokens of the longest text.
        learning_rate: peak rate, above 0.
        weight_decay: as in AdamW.

    Returns:
        Mean cross-entropy of the chosen tokens over all steps, in nats.

    Raises:
        InputError: the vocabulary has no mask.
    """
    hub = importlib.import_module("keras_hub")
    tokenizer = classifier.tokenizer
    vocabulary = tokenizer.layer.get_vocabulary()
    mask = next((tokenizer.layer.token_to_id(word) for word in MASK if word in vocabulary), None)
    if mask is None:
        raise InputError(
            f"The vocabulary of {classifier.name} has no {' or '.join(MASK)}: take an encoder that was pretrained with "
            "one, such as minilm, or leave adaptation.masked_epochs out."
        )
    choose = hub.layers.MaskedLMMaskGenerator(
        vocabulary_size=len(vocabulary),
        mask_selection_rate=MASKED_SHARE,
        mask_token_id=mask,
        mask_selection_length=max(1, math.ceil(MASKED_SHARE * max_tokens)),
        unselectable_token_ids=[*tokenizer.start_ids, *tokenizer.end_ids, tokenizer.pad_id],
    )

    def hide(inputs, *_):
        chosen = choose(inputs["token_ids"])
        shown = inputs | {"token_ids": chosen["token_ids"], "mask_positions": chosen["mask_positions"]}
        return shown, chosen["mask_ids"], chosen["mask_weights"]

    classifier.trainable = True
    learner = MaskedLanguageModel(classifier)
    optimizer = make_adaptation_optimizer(learning_rate, steps, weight_decay=weight_decay)
    # Places that short texts leave empty have no weight, and must not count in the mean either.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    learner.compile(optimizer, loss)
    history = learner.fit(batches.map(hide), steps_per_epoch=steps, verbose=0)
    return history.history["loss"][0]


def _token_embedding(classifier):
    for layer in classifier.layers:
        for part in layer._flatten_layers():
            if isinstance(part, keras.layers.ReversibleEmbedding):
                return part
    raise InputError(
        f"{classifier.name} has no token embeddings that can be read backwards: leave adaptation.masked_epochs out."
    )


def _last_sequence(classifier):
    """Finds what the last layer of the encoder gives for every token."""
    sequences = [
        tensor
        for node in ordered_nodes(classifier)
        for tensor in node.output_tensors
        if len(tensor.shape) == 3 and "." in node.operation.name and not node.operation.name.startswith("head.")
    ]
    return sequences[-1]
