"""What makes hostile content harmless: outputs, pictures, text and HTML. Judging, gradebook and pages use it."""
