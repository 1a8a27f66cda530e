"""Papers for an agent: Semantic Scholar's search and the text of PDFs, fetched and parsed outside the sandbox."""
