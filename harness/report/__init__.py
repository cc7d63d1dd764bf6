"""A scored run as a page, a terminal table, and JSON. Reads the run folder only.

The page and the terminal are imported by themselves: most commands need one of the two.
"""
