"""Figures of a run, as plain values for machines and as tables for people."""
