"""The models that later lessons build on: two for images, two for text."""

from .images import cnn, dense
from .text import Cache, CharLSTM, Transformer, generate

__all__ = ["Cache", "CharLSTM", "Transformer", "cnn", "dense", "generate"]
