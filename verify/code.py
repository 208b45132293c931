"""Is this Python function really the gradient of that one?

    verify.check_code(f, gradient, (low, high))        on a box
    verify.check_code(f, gradient, sampler)            on what sampler(rng) returns

Nothing about code can be enclosed, so the evidence is numerical and the verdicts are three:

    REFUTED     at a point of the domain, and around it, the claimed and the measured slope differ by more than 1000 times
                the estimated error, and a second route that shares nothing with the first agrees that they do;
    SUPPORTED   no discrepancy at any point, where one would have been seen: the resolution is stated;
    UNDECIDED   noise hides the answer, or the routes contradict each other; the reason and the noise floor are stated.

The parts: `points` (where to look), `differences` (slopes and their errors), `probe` (one point, one line), `exact` (complex
step, reverse mode), `survey` (the whole domain), `slips` (what went wrong), all in `verify.numerics`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator

from verify.numerics.blackbox import Blackbox
from verify.numerics.points import Sites, from_box, from_sampler
from verify.numerics.probe import Pair
from verify.numerics.survey import Survey, survey
from verify.verdict import Diagnosis, Evidence, Result, Rigor, Verdict

Domain = tuple[Any, Any] | Callable[[Generator], Any]
POINTS = 300
"""A strip of 2 % of a box is missed by 300 independent points once in 400 checks; these are more even than that."""
FEWER = (300, 200, 128, 96, 64, 48, 32, 24, 16)
CALLS_A_POINT = 18


def check_code(
    f: Callable[[Any], Any],
    gradient: Callable[[Any], Any],
    domain: Domain,
    *,
    seed: int = 0,
    points: int = POINTS,
    seconds: float | None = 20.0,
) -> Result:
    started = time.perf_counter()
    rng = np.random.default_rng(seed)
    claim = f"{_name(gradient)} is the gradient of {_name(f)}"
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        sites = from_sampler(domain, points, rng) if callable(domain) else from_box(*domain, points, rng)
        fbox = Blackbox(f, sites.shape, sites.scalar)
        gbox = Blackbox(gradient, sites.shape, sites.scalar)
        t0=time.perf_counter()
        values=[]
        for s in sites.sites[:64]:
            values.append(fbox(s.x))
            if time.perf_counter()-t0>1 and len(values)>=16: break
        m=int(np.prod(fbox.out)) if fbox.out is not None else 1
        vals=np.array([v for v in values if v.size==m and np.all(np.isfinite(v))])
        if not len(vals):
            return Result(claim, Verdict.UNDECIDED, Rigor.NUMERICAL, reason="f never finite "+fbox.trouble, seed=seed)
        cost=(time.perf_counter()-t0)/len(values)
        if seconds is not None:
            n=next((k for k in FEWER if k<=points and k*cost*CALLS_A_POINT<=seconds), 16)
            sites=Sites(sites.sites[:n],sites.shape,sites.scalar,sites.symmetric)
        # shape
        want = fbox.out + sites.shape
        ok = {want} | ({sites.shape, want} if m == 1 else set())
        for s in sites.sites[:16]:
            g=gbox.answer(s.x)
            if g is not None and np.all(np.isfinite(fbox(s.x))):
                if g.shape not in ok and not (g.size==1 and m*len(s.x)==1):
                    return Result(claim, Verdict.REFUTED, Rigor.NUMERICAL, diagnosis=Diagnosis("shape",f"{g.shape} needed {want}",Verdict.SUPPORTED), seed=seed)
                break
        gbox.out=None
        top=np.maximum(np.abs(vals).max(0),1e-300)
        spread=np.minimum(np.std(vals/top,axis=0)*top,1e300)
        spread=np.where(spread>0,spread,np.abs(vals).max(0))
        pair=Pair(fbox,gbox,m,spread)
        seen=survey(pair,sites,rng)
    return _result(claim, seen, seed, time.perf_counter()-started)

def _result(claim, seen: Survey, seed, secs):
    n=len(seen.sites.sites)-len(seen.undefined)
    det=dict(n=n,agreed=len(seen.agreed),blind=len(seen.blind),kinks=len(seen.kinks),unclear=len(seen.unclear),refuted=len(seen.refuted),suspected=len(seen.suspected),isolated=len(seen.isolated),exams=seen.examinations,fcalls=seen.pair.f.calls,level=seen.level,cs=(seen.complex_step.agreed,seen.complex_step.why),rev=(seen.reverse.agreed,seen.reverse.why),noise=seen.noise)
    ev=(Evidence("windows",Rigor.NUMERICAL,None,detail=det),)
    if seen.refuted:
        v,why=Verdict.REFUTED,""
    elif seen.unclear or seen.isolated:
        v,why=Verdict.UNDECIDED,(seen.unclear or seen.isolated)[0].finding.why
    elif len(seen.agreed)+sum(k.finding.inside for k in seen.kinks) >= 0.5*max(n,1) and n:
        v,why=Verdict.SUPPORTED,""
    else:
        v,why=Verdict.UNDECIDED,"too few: "+(seen.blind[0].finding.why if seen.blind else "")
    return Result(claim,v,Rigor.NUMERICAL,evidence=ev,reason=why,seconds=secs,seed=seed)

def _name(f): return getattr(f,"__name__",type(f).__name__)
