"""What students and instructors look at: feedback for each student, and the class page."""
