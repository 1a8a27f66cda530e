"""react: the built-in agent of a language model. It asks, executes, is shown what came of it, and asks again."""
