"""People rate pictures and clips: a page on this machine, a journal of answers, agreement, and what to adjudicate."""
