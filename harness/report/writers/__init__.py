"""Writers: draw blocks for one medium each, without knowing any analysis by name."""
