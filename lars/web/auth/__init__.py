"""Who may do what: sessions, tokens, passwords, and the secrets behind them."""
