"""The instructor's tool: hand out, collect, grade in a sandbox, give feedback, see what the class got wrong."""
