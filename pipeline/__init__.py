"""The film engine: a story goes in, a film comes out. Knows nothing of HTTP."""
