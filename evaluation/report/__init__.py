"""``whenabouts eval report``: one page and one Markdown file of tables from results of runs."""
