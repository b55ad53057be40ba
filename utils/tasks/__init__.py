"""Tasks that we make ourselves, so that it is known what a network has to remember, or where it has to look.

Each function draws as many examples as it is asked for, from a seed: inputs, and the right answers.
"""
