"""An example of a package that extends affect-harness."""
