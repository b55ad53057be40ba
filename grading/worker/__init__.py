"""What runs inside the sandbox, beside the student's code. It holds no check, no answer and no seed.

This package and what a lesson needs of `utils`, without its checks, are all of the course that a sandbox can see.
"""
