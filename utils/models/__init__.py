"""The models that later lessons build on: two for images, two for text and their baseline, and the sampler."""

from utils.models.images import cnn, dense
from utils.models.ngram import NGram
from utils.models.text import Cache, CharLSTM, Transformer, generate

__all__ = ["Cache", "CharLSTM", "NGram", "Transformer", "cnn", "dense", "generate"]
