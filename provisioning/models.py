"""What happens to declared machines. No model yet: jobs, surveys and checks arrive with their own changes."""
