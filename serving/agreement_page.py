"""What stands on the agreement's page: what is agreed, who signed it, what other cutoffs would give, all versions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import Problem, UserError
from features.history import History
from features.schema import Schema
from features.wording import Lang, message
from serving.actor import SOMEONE, Actor
from serving.agreement import Agreement
from serving.agreement_changes import changed
from serving.agreement_replacing import agreement_text, text_digest
from serving.agreement_versions import versions
from serving.agreement_warnings import agreement_warnings
from serving.agreement_words import agreement_words
from serving.band_moves import BANDS, BandMoves, moves_under
from serving.champion import Snapshot
from serving.desk import Meaning
from serving.incoming import instant
from serving.locales import date, length, machine_time, moment, number
from serving.page_words import words
from serving.serving_model import ServingModel
from serving.signatures import TEAMS, AgreementState, agreement_state, signed_digest
from serving.simulated import count, cutoff_text
from serving.simulator import Simulator
from serving.simulator_page import Proposal, proposal_of, simulator_part
from serving.store import Store

if TYPE_CHECKING:
    from serving.agreement_versions import Version
    from serving.decision import Band

DONE = ("saved", "signed")
SHOWN_VERSIONS = 12


@dataclass(frozen=True)
class Draft:
    """What somebody sent and was refused, shown again with its faults.

    Attributes
    ----------
    text : of the editor; None where the form was another one.
    reason, name : as entered.
    faults : what is wrong.
    signing : whether it was a signature that was refused.
    """

    faults: Sequence[Problem]
    text: str | None = None
    reason: str = ""
    name: str = ""
    signing: bool = False


@dataclass(frozen=True)
class AsItStands:
    """The agreement in the workspace's files.

    Attributes
    ----------
    text : of agreement.toml, "" without one.
    state : agreement and valid signatures; empty where the files have faults.
    faults : of the files.
    """

    text: str
    state: AgreementState
    faults: tuple[Problem, ...] = ()


def as_it_stands(folder: Path, meaning: Meaning) -> AsItStands:
    """Read anew from the files: somebody who has just signed sees it, although the service looks once a second."""
    try:
        return AsItStands(agreement_text(folder), agreement_state(folder, **meaning))
    except UserError as error:
        return AsItStands(agreement_text(folder), AgreementState(), tuple(error.problems))


def meaning_of(snapshot: Snapshot, converted: str) -> Meaning:
    """What cutoffs are about, by the champion; `converted` of the workspace while there is none."""
    model = snapshot.model
    told = model.converted if isinstance(model, ServingModel) else converted
    return Meaning(horizon=model.horizon, converted=told, stages=snapshot.schema.stages)


def agreement_page(
    store: Store,
    stands: AsItStands,
    snapshot: Snapshot,
    simulator: Simulator | None,
    *,
    history: History | None,
    meaning: Meaning,
    actor: Actor,
    asked: Mapping[str, str],
    draft: Draft | None,
    done: str,
    now: int,
    lang: Lang,
) -> dict[str, Any]:
    """The content of the page.

    Parameters
    ----------
    history : the tables as the service holds them, to say which names in the rules they do not know; None where it holds
        none.
    """
    agreement = stands.state.agreement
    zone = snapshot.schema.zone
    proposal = None if simulator is None else proposal_of(simulator, asked, agreement, lang)
    moves = None
    with store.reading() as c:
        kept = versions(c, most=SHOWN_VERSIONS + 1)
        if proposal is not None and isinstance(snapshot.model, ServingModel):
            moves = moves_under(c, proposal.mql, proposal.sql)
    return {
        "status": _status(stands, lang),
        "in_effect": stands.state.signed,
        "done": words(f"agreement.done.{done}", lang) if done in DONE else "",
        "rules": None if agreement is None else _rules(agreement, meaning, snapshot.schema, lang),
        "warnings": []
        if agreement is None or history is None
        else agreement_warnings(agreement, history, meaning["stages"], lang=lang),
        "teams": [] if agreement is None else [_team(team, stands.state, actor, draft, zone, lang) for team in TEAMS],
        "sha256": "" if agreement is None else signed_digest(agreement, **meaning),
        "looked_at": text_digest(stands.text),
        "simulator": None
        if simulator is None or proposal is None
        else simulator_part(simulator, proposal, agreement, lang),
        "moves": None if moves is None else moves_part(moves, lang),
        "save": None if proposal is None or stands.faults else _save(proposal, agreement, lang),
        "editor": _editor(stands, draft, lang),
        "draft": draft,
        "refused": [] if draft is None or draft.text is not None else [_fault(each, "", lang) for each in draft.faults],
        "versions": [
            _version(each, before, signed_digest(agreement, **meaning) if agreement else "", zone, now, lang)
            for each, before in zip(kept[:SHOWN_VERSIONS], [*kept[1:], None], strict=False)
        ],
    }


def moves_part(moves: BandMoves, lang: Lang) -> dict[str, Any]:
    """The leads that are open now, by the band they stand in and the one they would stand in."""
    leads = moves.leads
    key = "agreement.moves.moving" if moves.moving else "agreement.moves.stay"
    shown = [band for band in BANDS if band is not None or moves.now(None) or moves.then(None)]
    return {
        "leads": leads,
        "sentence": words(key, lang, n=moves.moving, leads=leads),
        "bands": [_band_name(band, lang) for band in shown],
        "rows": [
            {
                "name": _band_name(now, lang),
                "cells": [
                    {
                        "key": f"{_band_key(now)}:{_band_key(then)}",
                        "text": number(moves.counts.get((now, then), 0), lang),
                        "moves": now is not then and bool(moves.counts.get((now, then), 0)),
                    }
                    for then in shown
                ],
                "total": number(moves.now(now), lang),
            }
            for now in shown
        ],
        "totals": [{"key": f"total:{_band_key(band)}", "text": number(moves.then(band), lang)} for band in shown],
        "total": number(leads, lang),
    }


def _status(stands: AsItStands, lang: Lang) -> str:
    agreement, signed = stands.state.agreement, stands.state.signatures
    if stands.faults:
        return words("agreement.status.faulty", lang)
    if agreement is None:
        return words("agreement.status.none", lang)
    missing = [team for team in TEAMS if team not in signed]
    key = {0: "in_effect", 1: "waiting_for"}.get(len(missing), "unsigned")
    team = words(f"agreement.team.{missing[0]}", lang) if missing else ""
    return words(f"agreement.status.{key}", lang, version=agreement.version, team=team)


def _rules(agreement: Agreement, meaning: Meaning, schema: Schema, lang: Lang) -> dict[str, Any]:
    return {
        "version": words("agreement.rules.version", lang, version=agreement.version),
        "meaning": words(
            "agreement.rules.meaning", lang, converted=meaning["converted"], horizon=length(meaning["horizon"], lang)
        ),
        "parts": agreement_words(agreement, lang, schema=schema),
    }


def _team(team: str, state: AgreementState, actor: Actor, draft: Draft | None, zone: str, lang: Lang) -> dict[str, Any]:
    name, signature = words(f"agreement.team.{team}", lang), state.signatures.get(team)
    known = actor.name if actor.kind in ("person", "proxy") else ""
    return {
        "team": team,
        "name": name,
        "signed": "" if signature is None else words("agreement.signatures.signed", lang, name=signature.name),
        "time": "" if signature is None else _written(signature.time, zone, lang),
        "may_sign": signature is None and actor.team in (None, team),
        "not_yours": words("agreement.signatures.not_yours", lang, team=name),
        "button": words("agreement.signatures.sign_for", lang, team=name),
        "as": words("agreement.signatures.as", lang, name=known) if known else "",
        "entered": "" if draft is None else draft.name,
    }


def _save(proposal: Proposal, agreement: Agreement | None, lang: Lang) -> dict[str, Any]:
    key = "agreement.save.first" if agreement is None else "agreement.save.what"
    pair = {"mql": cutoff_text(proposal.mql, lang), "sql": cutoff_text(proposal.sql, lang)}
    return {"what": words(key, lang, **pair), "mql": f"{proposal.mql:g}", "sql": f"{proposal.sql:g}"}


def _editor(stands: AsItStands, draft: Draft | None, lang: Lang) -> dict[str, Any]:
    """The text, and below it every fault at its line."""
    edited = draft is not None and draft.text is not None
    text = (draft.text or "") if draft is not None and edited else stands.text
    faults = draft.faults if draft is not None and edited else stands.faults
    return {
        "text": text,
        "open": bool(faults),
        "summary": words("agreement.faults", lang, n=len(faults)) if edited and faults else "",
        "faults": [_fault(each, text, lang) for each in faults],
        "lines": max(text.count("\n") + 3, 12),
    }


def _fault(problem: Problem, text: str, lang: Lang) -> dict[str, str]:
    match = re.search(r"line (\d+)$", problem.where)
    source = text.splitlines()
    line = int(match[1]) if match else 0
    return {
        "line": words("agreement.editor.line", lang, line=line) if line else "",
        "source": source[line - 1].strip() if 0 < line <= len(source) else "",
        "found": problem.found,
        "expected": words("agreement.editor.expected", lang, expected=problem.expected) if problem.expected else "",
        "next": problem.next_step,
    }


def _version(version: Version, before: Version | None, current: str, zone: str, now: int, lang: Lang) -> dict[str, Any]:
    differs = [] if before is None else changed(before.content, version.content)
    return {
        "title": words("agreement.history.version", lang, version=version.version),
        "author": _author(version, lang),
        "date": date(version.saved_at, zone, lang, now=now),
        "moment": moment(version.saved_at, zone, lang),
        "datetime": machine_time(version.saved_at),
        "reason": version.reason or "",
        "digest": version.sha256[:12],
        "current": version.sha256 == current,
        "volumes": _volumes(version.expected, lang),
        "first": before is None,
        "changes": [{"key": key, "before": old, "after": new} for key, old, new in differs],
    }


def _author(version: Version, lang: Lang) -> str:
    if version.by_hand:
        return words("agreement.history.by_hand", lang)
    return words("agreement.history.someone", lang) if version.author == SOMEONE.name else version.author


def _volumes(expected: Mapping[str, Any] | None, lang: Lang) -> str:
    """Volumes a week before and after; "" where there were none to expect."""
    after = _a_week(expected, lang)
    if expected is None or after is None:
        return ""
    before = _a_week(expected.get("before"), lang)
    if before is None:
        return words("agreement.history.volumes_first", lang, after=after[0], mqls_after=after[1])
    pairs = {"before": before[0], "after": after[0], "mqls_before": before[1], "mqls_after": after[1]}
    return words("agreement.history.volumes", lang, **pairs)


def _a_week(expected: Mapping[str, Any] | None, lang: Lang) -> tuple[str, str] | None:
    sqls, mqls = (((expected or {}).get(name) or {}).get("point") for name in ("sqls_a_week", "mqls_a_week"))
    return None if sqls is None or mqls is None else (count(sqls, lang), count(mqls, lang))


def _written(time: str, zone: str, lang: Lang) -> str:
    """The time of a signature, which the file keeps as ISO 8601, in the workspace's zone."""
    found = instant(time, "UTC")
    return time if found is None else moment(found, zone, lang)


def _band_name(band: Band | None, lang: Lang) -> str:
    return words("agreement.moves.no_band", lang) if band is None else message(f"band.{band.value}", lang)


def _band_key(band: Band | None) -> str:
    return "none" if band is None else band.value
