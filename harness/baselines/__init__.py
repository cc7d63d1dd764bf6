"""Small trained models that stand beside the models under test."""
