"""What is handed in: tables and figures for a paper, published numbers beside one's own, leaderboards."""
