"""What `reach-grade` can do: a module for each part of an evening, a function for each command."""
