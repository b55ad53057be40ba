"""Things to play with, one module each. Every widget has a still picture for where no kernel runs."""
