"""Draws the same blocks as the screen, and pictures, as one HTML file that needs nothing else."""
