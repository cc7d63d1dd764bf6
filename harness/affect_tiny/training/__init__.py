"""How affect-tiny is trained. Part of the repository and the source distribution, not of the wheel."""
