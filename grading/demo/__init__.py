"""An invented class to try grading on."""
