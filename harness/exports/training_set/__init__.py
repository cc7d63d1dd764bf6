"""Training data of a task: requests as they are sent, with true answers, in folds by subject."""

from harness.exports.training_set.forms import FORMS
from harness.exports.training_set.write import TrainingAsked, Written, export_training

__all__ = ["FORMS", "TrainingAsked", "Written", "export_training"]
