"""What is worked out from the answers besides the scores of the fields, one analysis a file: its rows and its blocks."""
