"""The analyses: one file each, a folder a question. The file's name is the analysis's name everywhere."""
