"""Trains small two-tower models on pictures with texts. The only part of the catalogue that imports torch."""
