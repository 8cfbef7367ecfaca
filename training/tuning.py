"""Searching for a better recipe than the default; the one file that knows Optuna.

A search runs within the rows that are fitted, on the folds that all choices are made on, and looks at half of their
leads (`training.tuned.halves`). Its study lies in a SQLite file under a digest of all that it depends on: the same search
on the same tables goes on where it was left, whether it ran out of time or was killed, and what it would have tried next
is what it tries next.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import lightgbm
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from training.dataset import Rows, TrainingSet
from training.forward import Folds
from training.ranker import Progress
from training.recipe import Recipe
from training.trial_folds import TrialFolds, Tried
from training.tuned import LEAST_LEADS, Tuned, confirm, halves
from training.tuning_space import Space

FORMAT = 2
"""Raised when a study of before no longer means what one of now does."""
STARTUP = 12
"""So many recipes are drawn freely before the sampler leans on those that did well."""
PRUNE_FROM = 2
"""Of the recipe's numbers of rounds this is the first after which a trial may be given up; fewer trees say too little."""


class TrialLog(Protocol):
    """Where a search writes what it tries."""

    def open(self, run: str | None, about: Mapping[str, Any]) -> str:
        """Begin a run, or go on with one of before; returns its id."""

    def trial(
        self, run: str, number: int, params: Mapping[str, Any], metrics: Mapping[str, float], *, pruned: bool
    ) -> None:
        """One recipe that was tried, or given up."""

    def close(self, run: str, metrics: Mapping[str, float], *, killed: bool) -> None:
        """The search is over, or was interrupted."""


def tune(
    recipe: Recipe,
    train_set: TrainingSet,
    rows: Rows,
    progress: Progress,
    *,
    minutes: float,
    storage: Path,
    log: TrialLog | None = None,
    say: Callable[[str], None] = lambda text: None,
    clock: Callable[[], float] = time.monotonic,
) -> Tuned:
    """Search for a better recipe within these rows, for so many minutes; the default stays unless it is clearly beaten.

    The first recipe that is tried is the default itself. The best one is then held against it on leads that the search
    never looked at (`training.tuned.confirm`).

    Parameters
    ----------
    recipe : the default; what is not searched stays as it says.
    rows : what may be looked at: the fitted ones, without the test block.
    minutes : of searching, all searches on these tables together: asked again for as many, a search that is over is not
        repeated; asked for more, it goes on.
    storage : SQLite file of the studies.
    say : told a sentence for each recipe that is better than all before.
    clock : seconds.
    """
    parted = halves(train_set, rows)
    if parted is None:
        why = (
            f"under {LEAST_LEADS} leads of each label in each half are too few to tell a better recipe from a lucky one"
        )
        return Tuned(recipe, False, {**_NOTHING, "minutes": minutes, "seed": recipe.seed, "why": why})
    searched, kept = parted
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    progress("preparing the search", 0.0)
    with TrialFolds(train_set, searched, recipe) as folds:
        space = Space.of(recipe, train_set, folds)
        with closing(_Study(storage, _digest(space, train_set, rows, searched), space, log)) as study:
            study.search(folds, minutes * 60.0, progress=progress, say=say, clock=clock)
            story, best = {"minutes": minutes, **study.story()}, study.best()
    if best is None:
        return Tuned(recipe, False, {**story, "why": "no recipe could be tried to its end in so short a time"})
    if best.params == space.default():
        return Tuned(recipe, False, {**story, "why": "none was surely better"})
    tried = best.user_attrs
    found = space.mixed(space.recipe_from(best.params), c=float(tried["c"]), weight=float(tried["weight"]))
    taken, figures = confirm(recipe, found, train_set, rows, kept, progress=progress)
    return Tuned(found if taken else recipe, taken, {**story, "taken": taken, "confirmed": figures})


_NOTHING: Mapping[str, Any] = {
    "seconds": 0.0, "trials": 0, "pruned": 0, "run": None, "default_loss": None, "best": None, "taken": False,
    "confirmed": None, "why": None,
}  # fmt: skip


class _OutOfTime(Exception):
    pass


class _Study:
    """A study in memory, its finished trials in a file, and the run that they are logged under.

    A trial reaches the file when it is over: one that is killed leaves no trace, and nothing waits for a disk while
    trees grow.
    """

    def __init__(self, storage: Path, name: str, space: Space, log: TrialLog | None) -> None:
        storage.parent.mkdir(parents=True, exist_ok=True)
        self._file = optuna.storages.RDBStorage(f"sqlite:///{storage.absolute()}")
        self._kept = optuna.create_study(storage=self._file, study_name=name, direction="maximize", load_if_exists=True)
        pruner = optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=PRUNE_FROM)
        self._study = optuna.create_study(direction="maximize", pruner=pruner)
        self._study.add_trials(self._kept.get_trials(deepcopy=False))
        self._space, self._log = space, log
        self._run = None if log is None else self._opened(log)

    def close(self) -> None:
        self._file.remove_session()
        self._file.engine.dispose()

    def search(
        self,
        folds: TrialFolds,
        seconds: float,
        *,
        progress: Progress,
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        """Try one recipe after the other until so many seconds are spent, those of before included."""
        killed = True
        try:
            spent = self._spent()
            progress("trying recipes", min(spent / seconds, 1.0))
            while spent < seconds:
                before = self.best()
                left = seconds - spent

                def tell(gone: float, before: float = spent) -> None:
                    progress("trying recipes", min((before + gone) / seconds, 1.0))

                self._one(folds, left, tell, clock)
                spent = self._spent()
                after = self.best()
                if after is not None and (before is None or after.number != before.number):
                    say(self._better(after))
            progress("trying recipes", 1.0)
            killed = False
        finally:
            if self._log is not None and self._run is not None:
                best = self.best()
                found = {} if best is None else {"log_loss": float(best.user_attrs["loss"])}
                self._log.close(self._run, {**found, "trials": float(len(self._done()))}, killed=killed)

    def best(self) -> FrozenTrial | None:
        """The finished trial of the most certain gain; None before the first."""
        finished = [each for each in self._done() if each.state == TrialState.COMPLETE]
        return max(finished, key=lambda each: (each.values[0], -each.number), default=None)

    def story(self) -> dict[str, Any]:
        """Counts and losses of all that was tried, as plain JSON."""
        done, best = self._done(), self.best()
        default = next((each for each in done if self._is_default(each) and each.state == TrialState.COMPLETE), None)
        told: dict[str, Any] = {
            **_NOTHING,
            "seconds": self._spent(),
            "trials": len(done),
            "pruned": sum(each.state == TrialState.PRUNED for each in done),
            "run": self._run,
            "seed": self._space.recipe.seed,
            "default_loss": None if default is None else float(default.user_attrs["loss"]),
        }
        if best is not None:
            tried = {name: best.user_attrs[name] for name in ("loss", "rounds", "c", "weight")}
            told["best"] = {"number": best.number, **best.params, **tried}
        return told

    def _one(
        self, folds: TrialFolds, seconds: float, tell: Callable[[float], None], clock: Callable[[], float]
    ) -> None:
        """Try one recipe; it ends early where it does worse than most did, or when the time is over."""
        done, began = self._done(), clock()
        # of its own for each place in the row: a search that was cut goes on as if it had not been
        self._study.sampler = optuna.samplers.TPESampler(
            seed=self._space.recipe.seed + len(done), n_startup_trials=STARTUP
        )
        if not any(self._is_default(each) for each in done):
            self._study.enqueue_trial(self._space.default())
        trial = self._study.ask()
        recipe = self._space.suggest(trial)

        def report(step: int, loss: float) -> None:
            gone = clock() - began
            tell(gone)
            trial.report(-loss, step)  # the larger the better, as of the gain
            if gone > seconds:
                raise _OutOfTime
            if step >= PRUNE_FROM and trial.should_prune():
                raise optuna.TrialPruned

        tried: Tried | None = None
        try:
            tried = folds.forward(recipe, self._space.recipe_from(self._space.default()), report)
            state = TrialState.COMPLETE
            for name in ("loss", "rounds", "c", "weight"):
                trial.set_user_attr(name, getattr(tried, name))
        except optuna.TrialPruned:
            state = TrialState.PRUNED
        except _OutOfTime:
            state = TrialState.FAIL
        if state != TrialState.FAIL:
            self._write(trial, recipe, tried)
        trial.set_user_attr("seconds", clock() - began)
        self._kept.add_trial(self._study.tell(trial, None if tried is None else tried.gain, state=state))

    def _write(self, trial: Trial, recipe: Recipe, tried: Tried | None) -> None:
        if self._log is None or self._run is None:
            return
        params = {**trial.params, "num_leaves": recipe.num_leaves, "left_out": len(recipe.without), "part": recipe.part}
        metrics = (
            {}
            if tried is None
            else {"log_loss": tried.loss, "rounds": float(tried.rounds), "c": tried.c, "weight": tried.weight}
        )
        self._log.trial(self._run, trial.number, params, metrics, pruned=tried is None)

    def _opened(self, log: TrialLog) -> str:
        run = log.open(self._kept.user_attrs.get("run"), self._space.to_json())
        self._kept.set_user_attr("run", run)
        return run

    def _done(self) -> list[FrozenTrial]:
        """Finished and pruned trials, in their order; one that was cut short is none."""
        return self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))

    def _spent(self) -> float:
        trials = self._study.get_trials(deepcopy=False)
        return float(sum(each.user_attrs.get("seconds", 0.0) for each in trials))

    def _is_default(self, trial: FrozenTrial) -> bool:
        return trial.params == self._space.default()

    def _better(self, trial: FrozenTrial) -> str:
        default = self.story()["default_loss"]
        beside = "" if default is None or self._is_default(trial) else f", the default recipe's is {default:.4f}"
        return f"recipe {trial.number + 1}: log loss {trial.user_attrs['loss']:.4f}{beside}"


def _digest(space: Space, train_set: TrainingSet, rows: Rows, folds: Folds) -> str:
    """A name for the search: the same for the same rows, space and releases, and for nothing else."""
    versions = {"lightgbm": lightgbm.__version__, "optuna": optuna.__version__, "format": FORMAT}
    sums = hashlib.sha256(json.dumps({**space.to_json(), **versions}, sort_keys=True).encode())
    sums.update(json.dumps(train_set.definitions.to_json(), sort_keys=True).encode())
    part = train_set.take(rows)
    for column in (part.lead_hash, part.as_of, part.label, part.values, part.weight, part.monotone):
        sums.update(b"-" if column is None else column.tobytes())
    for fold in folds:
        for each in fold:
            sums.update(each.tobytes())
    return sums.hexdigest()[:32]
