"""What ratings by people say: accuracy, differences between conditions, agreement, and a model among the raters."""
