"""Many runs of one model stepped together: side by side as one computation, or one by one."""
