"""Human ratings of pictures and clips: a local page, a journal of answers, agreement and adjudication."""
