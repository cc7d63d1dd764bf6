"""Training of affect-tiny. Part of the repository and the source distribution, not of the wheel."""
