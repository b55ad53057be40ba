"""Things to play with, one module each. Every widget has a picture book for where no kernel runs."""
