"""Find the interaction for a request, and describe the closest one."""
