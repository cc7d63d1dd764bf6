"""What `import harness` offers: evaluate models, open runs, read their numbers. The commands call the same functions."""
