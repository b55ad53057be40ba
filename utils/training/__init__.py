"""Training for every lesson, images and text alike: `fit` and `evaluate`, what they read and what they measure."""

from utils.training.batches import Batches, BatchSource, Streams, windows
from utils.training.device import on_fastest_device, pick_device
from utils.training.fit import count_parameters, evaluate, fit, seed_everything
from utils.training.history import History, LearningCurve
from utils.training.metrics import METRICS, Metric, cross_entropy
from utils.training.muon import Muon
from utils.training.parallel import in_parallel
from utils.training.stopwatch import Stopwatch

__all__ = [
    "METRICS",
    "BatchSource",
    "Batches",
    "History",
    "LearningCurve",
    "Metric",
    "Muon",
    "Stopwatch",
    "Streams",
    "count_parameters",
    "cross_entropy",
    "evaluate",
    "fit",
    "in_parallel",
    "on_fastest_device",
    "pick_device",
    "seed_everything",
    "windows",
]
