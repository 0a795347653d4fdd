"""Fine-tunes with the default `Trainer` of transformers; `text.py` runs it in an environment with torch."""

import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import transformers
from text import CLASSES, EpochClock


class EpochEnds(transformers.TrainerCallback):
    """Callback that ends the epochs of a clock."""

    def __init__(self, clock):
        """Stores the clock.

        Args:
            clock: `EpochClock`.
        """
        self.clock = clock

    def on_epoch_end(self, args, state, control, **kwargs):
        """Ends the epoch of the clock."""
        self.clock.end_epoch()


def tokenize(tokenizer, texts, labels):
    """Tokenizes texts without padding, as the list of dicts that a `Trainer` reads."""
    encoded = tokenizer(texts, truncation=True, max_length=512)
    columns = [*encoded.items(), ("labels", labels)]
    return [{name: values[row] for name, values in columns} for row in range(len(texts))]


def train_by_transformers(job):
    """Fine-tunes on batches padded to their longest text."""
    transformers.set_seed(job.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(job.folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(job.folder, num_labels=len(CLASSES))
    tokenizing = EpochClock()
    train_set = tokenize(tokenizer, *job.train)
    tokenizing.end_epoch()
    with tempfile.TemporaryDirectory() as folder:
        settings = transformers.TrainingArguments(
            output_dir=folder,
            num_train_epochs=job.epochs,
            per_device_train_batch_size=job.batch_size,
            per_device_eval_batch_size=job.batch_size,
            learning_rate=job.learning_rate,
            train_sampling_strategy=job.setting,
            save_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
            seed=job.seed,
        )
        padding = transformers.DataCollatorWithPadding(tokenizer)
        trainer = transformers.Trainer(model, settings, data_collator=padding, train_dataset=train_set)
        clock = EpochClock()
        trainer.add_callback(EpochEnds(clock))
        trainer.train()
        logits = trainer.predict(tokenize(tokenizer, *job.test)).predictions
    accuracy = np.mean(logits.argmax(axis=1) == np.array(job.test[1]))
    return clock.spent(len(train_set), tokenizing) | {"accuracy": accuracy}


if __name__ == "__main__":
    print(json.dumps(train_by_transformers(SimpleNamespace(**json.loads(Path(sys.argv[1]).read_text("utf-8"))))))
