"""What teaches: lesson pages, the course, pitfalls, and their Chinese."""
