"""What hidden Markov models compute with: sequences, forward-backward, long scans, Viterbi."""
