"""[pure] Plans, change sets and findings as text, JSON, Markdown."""
