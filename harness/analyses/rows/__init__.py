"""What each analysis computes: rows of plain values, drawn by the module of the same topic above."""
