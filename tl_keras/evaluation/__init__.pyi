from .classification import classification_metrics as classification_metrics
from .classification import most_confused as most_confused
from .classification import worst_mistakes as worst_mistakes
from .model_card import write_model_card as write_model_card
from .plots import plot_confusion_matrix as plot_confusion_matrix
from .plots import plot_history as plot_history
from .plots import plot_mistakes as plot_mistakes
from .report import write_report as write_report
