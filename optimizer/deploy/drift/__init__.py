"""What runs, and where it differs from what a deploy left or the configuration says."""
