"""What an episode hands in: artifacts copied out once, graded where the agent never was, in the order of its attempts.

Takes the sandbox and a step, gives an Attempt and what the agent is told of it. At a limit the harness hands in what is
there, or, when that is refused or invalid, the last artifact that was valid on validation. Never tells a sealed score.
"""

from __future__ import annotations

from typing import Literal

from harness.errors import GradingError, InvalidArtifact, PlaceLost, SandboxError, VerificationError
from harness.grading.base import Artifact, artifact_sha256
from harness.runner.phases import Phases
from harness.runner.place import Place
from harness.runner.recorder import Recorder
from harness.runner.words import verdict_text
from harness.sandbox.base import Sandbox
from harness.schema.episode import Attempt, Verdict
from harness.schema.vocabulary import Split

Told = tuple[str, int]
"""Text and exit code."""


class Attempts:
    """The attempts of one episode. `artifacts` holds each artifact's bytes once, by digest."""

    def __init__(self, place: Place, recorder: Recorder, phases: Phases | None = None) -> None:
        self._place, self._recorder, self._phases = place, recorder, phases or Phases()
        self.made: list[Attempt] = []
        self.artifacts: dict[str, Artifact] = {}

    def validate(self, box: Sandbox, step: int) -> Told:
        """Copy out and grade on the validation split."""
        attempt, refused = self._copied(box, step)
        if attempt is None:
            return self._refused("validate", step, refused)
        attempt = attempt.model_copy(update={"kind": "validate"})
        try:
            verdict = self._verdict(attempt)
        except GradingError as error:
            self.made.append(attempt)
            return f"the grader itself failed, this is not your fault: {error}", 1
        self.made.append(attempt.model_copy(update={"validation": verdict}))
        return verdict_text(self._place.task, self._place.profile, verdict), 0 if verdict.valid else 1

    def submit(self, box: Sandbox, step: int) -> Told:
        """Copy out; what is handed in stands."""
        attempt, refused = self._copied(box, step)
        if attempt is None:
            return self._refused("submit", step, refused)
        self.made.append(attempt)
        return "submitted", 0

    def at_limit(self, box: Sandbox, step: int) -> Told:
        """Hand in for the agent: what is there, or in the place of an invalid artifact the last valid one."""
        try:
            attempt, reason = self._copied(box, step)
        except PlaceLost:
            raise
        except SandboxError as error:
            attempt, reason = None, f"nothing could be copied out: {error}"
        valid = next((made for made in reversed(self.made) if made.validation and made.validation.valid), None)
        if attempt is not None and (valid is None or not (reason := self._fault(attempt))):
            self.made.append(attempt)
            return "submitted", 0
        if valid is None:
            return self._refused("submit", step, reason)
        return self._instead(attempt, valid, step, reason)

    def _instead(self, found: Attempt | None, valid: Attempt, step: int, reason: str) -> Told:
        if found is not None and all(made.artifact_sha256 != found.artifact_sha256 for made in self.made):
            del self.artifacts[str(found.artifact_sha256)]
        again = {"index": len(self.made), "step": step, "kind": "submit", "validation": None}
        self._recorder.artifact(len(self.made), self.artifacts[str(valid.artifact_sha256)])
        self.made.append(valid.model_copy(update=again))
        return f"submitted attempt {valid.index} again, the last that was valid on validation: {reason}", 0

    def again(self, attempt: Attempt) -> None:
        """An attempt of a killed process, with the bytes that it left. Raises VerificationError when they differ."""
        if attempt.artifact_sha256 is not None:
            artifact = self._recorder.kept_artifact(attempt.index)
            if artifact_sha256(artifact) != attempt.artifact_sha256:
                raise VerificationError("attempt", f"attempts/{attempt.index} is not what steps.jsonl says it was")
            self.artifacts[attempt.artifact_sha256] = artifact
        self.made.append(attempt)

    def seal(self) -> None:
        """The sealed grade of every attempt that the place wants graded; the same bytes are graded once. GradingError
        goes to the caller: the episode is then unfinished, and nothing is scored."""
        wanted = self._place.sealed
        digests = {made.artifact_sha256 for made in self.made if wanted is None or made.index in wanted}
        kept = {digest: artifact for digest, artifact in self.artifacts.items() if digest in digests}
        verdicts = {digest: self._graded(artifact, "sealed") for digest, artifact in kept.items()}
        self.made = [
            made.model_copy(update={"sealed": verdicts[made.artifact_sha256]})
            if made.artifact_sha256 in verdicts
            else made
            for made in self.made
        ]

    @property
    def last_is_valid(self) -> bool:
        last = self.made[-1] if self.made else None
        return bool(last and last.sealed and last.sealed.valid)

    @property
    def best(self) -> float | None:
        """The best validation value of the ranked metric so far."""
        metric = self._place.task.metric
        values = [
            made.validation.metrics[metric.name] for made in self.made if made.validation and made.validation.valid
        ]
        return metric.best(values)

    def _copied(self, box: Sandbox, step: int) -> tuple[Attempt | None, str]:
        """A submit of what is there, its bytes kept; or the reason why it is refused."""
        try:
            with self._phases.timed("container", what="copy-out"):
                artifact = box.copy_out([(file.path, file.max_bytes) for file in self._place.task.artifact])
        except InvalidArtifact as error:
            return None, str(error)
        digest, index = artifact_sha256(artifact), len(self.made)
        self.artifacts[digest] = artifact
        self._recorder.artifact(index, artifact)
        size = sum(map(len, artifact.values()))
        return Attempt(index=index, step=step, kind="submit", artifact_sha256=digest, artifact_bytes=size), ""

    def _refused(self, kind: Literal["validate", "submit"], step: int, reason: str) -> Told:
        self.made.append(Attempt(index=len(self.made), step=step, kind=kind, refused=reason[:2000]))
        return f"refused: {reason}", 1

    def _verdict(self, attempt: Attempt) -> Verdict:
        return self._graded(self.artifacts[str(attempt.artifact_sha256)], "validation")

    def _graded(self, artifact: Artifact, split: Split) -> Verdict:
        with self._phases.timed("grade", what=split) as facts:
            verdict = self._place.grade(artifact, split)
            facts["valid"] = verdict.valid
            return verdict

    def _fault(self, attempt: Attempt) -> str:
        """Why an artifact is invalid on validation, or nothing; the same bytes are not graded again, and a grader of
        ours that fails finds no fault."""
        same = (made for made in self.made if made.artifact_sha256 == attempt.artifact_sha256)
        try:
            verdict = next((made.validation for made in same if made.validation), None) or self._verdict(attempt)
        except GradingError:
            return ""
        return verdict.invalid or ""
