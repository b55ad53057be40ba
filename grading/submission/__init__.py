"""One submitted file: read it, put its answers into the released notebook, plan what has to run."""
