"""What runs inside the sandbox, beside the student's code. It holds no check, no answer and no seed.

This package and `utils` without its checks are all of the course that a sandbox can see.
"""
