"""Prompts: a sandboxed template engine, the library of prompt files, and lint."""
