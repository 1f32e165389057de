"""Where EM of a mixture starts; `table` lists the starts."""
