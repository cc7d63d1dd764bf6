"""Pictures opened with limits, lazy transforms, frame policies."""
