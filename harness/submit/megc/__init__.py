"""The Micro-Expression Grand Challenge: files of questions, and tables of intervals."""
