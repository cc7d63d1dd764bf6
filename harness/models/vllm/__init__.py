"""vLLM servers that a run starts and stops."""
