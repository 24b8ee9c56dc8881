"""The command line: a story file in, a film file out. Hides the private data folder that makes it resumable."""
