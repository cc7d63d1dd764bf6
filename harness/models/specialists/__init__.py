"""Classifiers that take a picture and give a probability for each of their labels: `specialist:`."""
