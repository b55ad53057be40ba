"""From submissions to marks: a session in the sandbox, a batch on all cores or a cluster."""
