"""What factor models compute with: moments, posteriors, starts, and summaries of a fitted one."""
