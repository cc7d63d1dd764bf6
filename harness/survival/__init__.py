"""Survival: does a risk that is read off a face tell who lives longer? Tables in, tables and curves out."""
