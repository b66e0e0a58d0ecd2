"""Figures in the layout of the two published papers, with their reference points."""
