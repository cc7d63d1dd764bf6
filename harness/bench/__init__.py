"""What the client itself costs, measured against a server that costs next to nothing."""
