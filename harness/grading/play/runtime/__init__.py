"""What runs inside the two containers of a play grade: the referee's and the player's programs.

The host copies this folder there under the name `gymplay`, without the gymboard package around it: hence relative
imports, the standard library and numpy, nothing else (policy_rollouts.py alone needs jax, which its tasks' image
has). A task writes `from gymplay import Foul, Outcome, Table`.

A task's grader/referee.py defines one function:

    def play(table: Table) -> Outcome:
        draws = table.draws("opponent")      # SHAKE-256(seed, "opponent", call number); see draws.py
        player = table.players["candidate"]  # with relative_to_starter there is also "starter"
        player.ask("start", {...})           # load the artifact; which keys it needs, the adapter's file says
        reply = player.ask("round", {}, {"rows": array})   # one lock-step batch
        reply.meta, reply.array("moves", "i4", (games,))   # raises WireError when it is another dtype or shape
        cpu_s = table.turn("candidate")      # pause the others, resume this one; CPU seconds so far of each, by name
        table.dismiss("candidate")           # end a player; table.admit(name) seats one that the host kept back
        raise Foul("game 3: 130 of 120")     # a broken rule makes the attempt invalid, with this reason
        return Outcome({"mean_payoff": 0.1}, {"mean_payoff": 0.003}, n=10_000)

`ask` raises Foul by itself when the player crashes, stalls or sends nonsense. Any other exception is our own failure:
the attempt stays ungraded. `print` in a referee goes to its stderr. Adapters: adapter_strategy.py,
adapter_function.py, adapter_policy.py, adapter_model.py.
"""

from .table import Foul, Outcome, Player, Table
from .wire import Message, WireError

__all__ = ["Foul", "Message", "Outcome", "Player", "Table", "WireError"]
