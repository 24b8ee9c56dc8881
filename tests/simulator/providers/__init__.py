"""One module per provider, each speaking that provider's protocol and nobody else's; the app finds them here."""
