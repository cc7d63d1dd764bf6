"""Tables and figures for papers, published numbers to compare with, and leaderboards."""
