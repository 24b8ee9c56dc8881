"""From a story to its structure: who says what, where, and how it is filmed."""
