"""The page on which a person grades quizzes: a local server that shows all answers to one question side by side."""
