"""What every notebook of the course imports: data, training, plotting, checks and the ruler."""
