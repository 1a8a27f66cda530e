"""The options of `gymboard run` about memory and literature."""

from __future__ import annotations

from typing import Annotated

import typer

MemoryWords = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="own|FILE",
        help="Notes for the agent: own, for each episode alone, or a DuckDB file that episodes and runs share.",
    ),
]
EmbeddingsModel = Annotated[
    str | None,
    typer.Option("--embeddings", help="Memory: a provider's embedding model, paid; default the local MiniLM, free."),
]
EmbeddingsPrice = Annotated[
    float | None, typer.Option(min=0, help="USD per million tokens of --embeddings, when prices.toml has none.")
]
EmbeddingsBase = Annotated[str | None, typer.Option(help="The address of --embeddings, for a server of your own.")]
Literature = Annotated[
    bool, typer.Option("--literature", help="Let the agent search Semantic Scholar and read PDFs of the web.")
]
