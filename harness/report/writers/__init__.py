"""Writers: blocks drawn for one medium each. None knows an analysis by name."""
