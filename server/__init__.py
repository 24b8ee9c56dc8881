"""The web door: HTTP in, the pipeline's own words out. Nothing here makes a film."""
