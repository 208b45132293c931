"""Does every rule of the prover hold where its side condition does, and stay silent where it does not?"""

from __future__ import annotations

import pytest

from verify.claim import Claim, Domain, Variable
from verify.decide.contraction import relations
from verify.decide.contraction.elementwise import cosine
from verify.decide.contraction.prove import agreeing_sides, prove
from verify.graph import abstract, add, call, derivative, mul, num, symbol, transpose
from verify.language import read_claim

#: A rule, identities that need it, and neighbours to which it must not apply.
RULES = {
    "transposition and traces": (
        ("tr(A*B*C) = tr(C*A*B)", "tr(A*B) = tr(B'*A')"),
        ("tr(A*B*C) = tr(A*C*B)", "tr(A*B) = tr(A*B')"),
        "A: matrix(n,n), B: matrix(n,n), C: matrix(n,n)",
    ),
    "symmetry": (
        ("tr(P*H*A) = tr(A'*H*P)", "x'*P*y = y'*P*x"),
        ("tr(P*H*A) = tr(P*A*H)", "x'*A*y = y'*A*x", "P*H = H*P"),
        "P: symmetric(n), H: symmetric(n), A: matrix(n,n), x: vector(n), y: vector(n)",
    ),
    "antisymmetry": (
        ("x'*K*x = 0", "tr(K*K*K) = 0", "tr(P*K) = 0", "diag(K) = 0*x"),
        ("x'*K*y = 0", "tr(K*K) = 0", "tr(A*K) = 0", "K.*K = 0*K", "tr(K*A*K) = 0", "tr(K*A) = tr(K*A')",
         "x'*K*A*y = y'*A'*K*x", "det(K + x*x') = det(K)"),
        "K: antisymmetric(n), P: symmetric(n), A: matrix(n,n), x: vector(n), y: vector(n)",
    ),
    "inverses": (
        ("A*inv(A + B)*B = B*inv(A + B)*A", "inv(A)*A = eye(n)", "inv(A')*A' = eye(n)", "tr(A*inv(A)) = n"),
        ("A*inv(A + B)*B = B*inv(A + B)*B", "inv(A)*A' = eye(n)", "inv(A).*A = eye(n)", "tr(A'*inv(A)) = n"),
        "A: matrix(n,n), B: matrix(n,n)",
    ),
    "an inverse in a sum over the joining index": (
        (
            "sum(sum(inv(A)[i,j]*A[j,i], j, 1, n), i, 1, n) = n",
            "sum(sum(inv(A)[i,j]*A[j,i]*x[j], j, 1, n), i, 1, n) = sum(x)",
            "sum(sum(inv(B*C + D)[i,j]*(B*C)[j,k], j, 1, n), i, 1, n) = 1 - sum(sum(inv(B*C + D)[i,j]*D[j,k], j, 1, n)"
            ", i, 1, n)",
        ),
        (
            "sum(sum(inv(A)[i,j]*A[j,i]*x[j]*x[i], j, 1, n), i, 1, n) = x'*x",
            "sum(sum(sum(inv(B*C + D)[i,j]*B[j,j]*C[j,k], j, 1, n), i, 1, n), k, 1, n) = n - sum(inv(B*C + D)*D)",
            "sum(sum(sum(sum(inv(A*B*C + D)[i,j]*A[j,l]*B[l,l]*C[l,k], j, 1, n), i, 1, n), k, 1, n), l, 1, n)"
            " = n - sum(inv(A*B*C + D)*D)",
            "sum(sum(sum(sum(inv(B*C + D)[i,j]*B[j,l]*C[l,k]*x[j], j, 1, n), i, 1, n), k, 1, n), l, 1, n)"
            " = sum(x) - sum(inv(B*C + D)*D*x)",
            "sum(sum(sum(inv(B*C + D)[i,j]*B[j,l]*C[l,j], j, 1, n), i, 1, n), l, 1, n) = n - sum(inv(B*C + D)*D)",
            "sum(sum(sum(inv(B*C + D)[i,j]*B[j,i]*C[i,k], j, 1, n), i, 1, n), k, 1, n) = n - sum(inv(B*C + D)*D)",
            "sum(sum(inv(A)[i,j]*A[j,j], j, 1, n), i, 1, n) = n",
            "(inv(A).*inv(A))*A = eye(n)",
            "inv(A + x*x')*diag(x)*x = x",
        ),
        "A: matrix(n,n), B: matrix(n,n), C: matrix(n,n), D: matrix(n,n), x: vector(n)",
    ),
    "push-through and Woodbury": (
        (
            "inv(eye(n) + U*V)*U = U*inv(eye(k) + V*U)",
            "inv(A + U*V) = inv(A) - inv(A)*U*inv(eye(k) + V*inv(A)*U)*V*inv(A)",
            "tr(inv(eye(n) + U*V)) = n - k + tr(inv(eye(k) + V*U))",
        ),
        (
            "inv(eye(n) + U*V)*U = U*inv(eye(k) - V*U)",
            "inv(A + U*V) = inv(A) + inv(A)*U*inv(eye(k) + V*inv(A)*U)*V*inv(A)",
            "tr(inv(eye(n) + U*V)) = tr(inv(eye(k) + V*U))",
        ),
        "A: matrix(n,n), U: matrix(n,k), V: matrix(k,n)",
    ),
    "determinants": (
        (
            "det(eye(n) + U*V) = det(eye(k) + V*U)",
            "det(s*eye(n) + U*V) = s^(n - k)*det(s*eye(k) + V*U)",
            "det(A*B) = det(B)*det(A)",
            "det(t*A) = t^n*det(A)",
            "det(-A) = (-1)^n*det(A)",
            "grad_A det(A) = det(A)*inv(A)'",
        ),
        (
            "det(eye(n) + U*V) = det(eye(k) - V*U)",
            "det(s*eye(n) + U*V) = det(s*eye(k) + V*U)",
            "det(A*B) = det(A) + det(B)",
            "det(t*A) = t*det(A)",
            "det(-A) = -det(A)",
            "grad_A det(A) = det(A)*inv(A)",
        ),
        "A: matrix(n,n), B: matrix(n,n), U: matrix(n,k), V: matrix(k,n), s: positive, t: real",
    ),
    "the rule for a determinant needs an inverse that exists somewhere": (
        ("grad_x det(A + x*x') = det(A + x*x')*(inv(A + x*x')' + inv(A + x*x'))*x",),
        ("grad_x det(x*x') + (x'*x)*a - (a'*x)*x = 2*det(x*x')*x/(x'*x)",),
        "A: matrix(n,n), x: vector(n), a: vector(n)",
    ),
    "orthogonal matrices": (
        ("Q'*Q = eye(n)", "Q*Q' = eye(n)", "norm(Q*x) = norm(x)", "det(Q)^2 = 1", "inv(Q) = Q'",
         "tr(Q*diag(x)*Q') = sum(x)", "(Q.*Q)*ones(n) = ones(n)"),
        (
            "Q*Q = eye(n)",
            "det(Q) = 1",
            "Q.*Q = eye(n)",
            "sum(sum(sum(Q[k,i]*Q[k,j]*x[k], k, 1, n), i, 1, n), j, 1, n) = n",
            "norm(Q.*A) = norm(A)",
            "tr(Q*diag(x)*Q) = sum(x)",
            "(Q.*Q.*Q)*ones(n) = ones(n)",
            "Q*A*Q' = A",
            "inv(A) = A'",
        ),
        "Q: orthogonal(n), A: matrix(n,n), x: vector(n)",
    ),
    "matrix exponentials": (
        (
            "expm(s*A)*expm(t*A) = expm((s + t)*A)",
            "d/dt expm(t*A) = expm(t*A)*A",
            "expm(A)*expm(A)' = expm(A)*expm(A')",
            "inv(expm(A)) = expm(-A)",
            "det(expm(A)) = exp(tr(A))",
            "expm(D)*expm(E) = expm(D + E)",
            "tr(A*expm(t*A)*A) = tr(expm(t*A)*A*A)",
        ),
        (
            "expm(A)*expm(B) = expm(A + B)",
            "d/dt expm(t*A + B) = expm(t*A + B)*A",
            "expm(A)*expm(A)' = expm(A + A')",
            "inv(expm(A)) = expm(A')",
            "det(expm(A)) = tr(exp(1)*A)",
            "expm(A)*B = B*expm(A)",
            "expm(A)*A' = A'*expm(A)",
        ),
        "A: matrix(n,n), B: matrix(n,n), D: diagonal(n), E: diagonal(n), s: real, t: real",
    ),
    "Duhamel's integral": (
        ("grad_A tr(expm(A)) = expm(A)'", "d/dp tr(expm(F)) = tr(expm(F)*d/dp(F))"),
        (
            "grad_A tr(B*expm(A)) = (B*expm(A))'",
            "d/dp expm(F) = d/dp(F)*expm(F)",
            "d/dp tr(B*expm(F)) = tr(B*expm(F)*d/dp(F))",
            "grad_A sum(expm(A)) = expm(A)'",
            "d/dp sum(expm(A + p*diag(x))) = sum(x)*sum(expm(A + p*diag(x)))",
        ),
        "A: matrix(n,n), B: matrix(n,n), F: matrix(n,n) of p, x: vector(n)",
    ),
    "roots and absolute values": (
        ("sqrt((x'*y)^2) = abs(x'*y)", "norm(-x) = norm(x)", "(s*(x'*x))^(1/2) = s^(1/2)*norm(x)"),
        ("sqrt((x'*y)^2) = x'*y", "norm(x - y) = norm(x) - norm(y)", "(x.*x).^(1/2) = x"),
        "x: vector(n), y: vector(n), s: positive",
    ),
    "logarithms": (
        ("log(s*(x'*x)) = log(s) + 2*log(norm(x))", "log((x'*y)^3) = 3*log(x'*y)"),
        ("log((x'*y)^2) = 2*log(x'*y)", "log(s + x'*x) = log(s) + log(x'*x)"),
        "x: vector(n), y: vector(n), s: positive",
    ),
    "denominators that no text has": (
        ("inv(s^2*A + eye(n))*A*s^2 = eye(n) - inv(s^2*A + eye(n))",),
        (
            "inv((abs(s) - s)*A + eye(n))*A*(abs(s) - s) + (abs(s) + s)*A = eye(n) - inv((abs(s) - s)*A + eye(n))",
            "inv((abs(s) - s)*A + eye(n))*A + (abs(s) + s)*A = A - (abs(s) - s)*A*inv((abs(s) - s)*A + eye(n))*A",
        ),
        "A: matrix(n,n), s: real",
    ),
    "signs of what may be zero on a whole region": (
        (
            "sign(x)*x = abs(x)",
            "abs(u).*sign(u) = u",
            "grad_u sum(relu(relu(v) + u)) = (sign(relu(v) + u) + ones(n))/2",
            "sign(relu(v) + u).*(relu(v) + u) = abs(relu(v) + u)",
        ),
        ("sign(abs(x) - x)*(abs(x) - x) + abs(x) + x = abs(abs(x) - x)", "sign(x) = 1",
         "sign(relu(u) - u).*(relu(u) - u) + relu(u) = relu(u) - u"),
        "x: real, u: vector(n), v: vector(n)",
    ),
    "gradients by structured matrices": (
        ("grad_P tr(P*P) = 2*P", "grad_P tr(A*P) = A'", "grad_K tr(A*K) = A'"),
        ("grad_P tr(A*P) = (A + A')/2", "grad_K tr(K'*K) = 0*K", "grad_P tr(A*P) = A + A' - A.*eye(n)"),
        "P: symmetric(n), K: antisymmetric(n), A: matrix(n,n)",
    ),
    "gradients among structured matrices": (
        (
            "grad_P tr(A*P) = A + A' - A.*eye(n)",
            "grad_P logdet(P) = 2*inv(P) - inv(P).*eye(n)",
            "grad_K tr(A*K) = A' - A",
            "grad_L tr(A*L) = A.*eye(n)",
        ),
        ("grad_P tr(A*P) = A'", "grad_P logdet(P) = inv(P)", "grad_K tr(A*K) = A'", "grad_L tr(A*L) = A'"),
        "P: symmetric(n), K: antisymmetric(n), L: diagonal(n), A: matrix(n,n), structured",
    ),
    "abstract functions": (
        (
            "grad_x (f*g) = f*grad_x(g) + g*grad_x(f)",
            "(hess_x f)' = hess_x f",
            "grad_x (v'*w) = (jac_x v)'*w + (jac_x w)'*v",
            "grad_x h(a'*x) = h'(a'*x)*a",
            "(jac_x (grad_y b))' = jac_y (grad_x b)",
            "x'*d/ds(K)*x = 0",
        ),
        (
            "grad_x (f*g) = f*grad_x(g)",
            "(jac_x v)' = jac_x v",
            "grad_x (v'*w) = (jac_x v)'*w + (jac_x w)*v",
            "grad_x h(a'*x) = h'(a'*x)*x",
            "(jac_x (grad_y b))' = jac_x (grad_y b)",
            "d/ds(K)' = d/ds(K)",
        ),
        "f: function of x, g: function of x, v: vector(n) of x, w: vector(n) of x, h: function of s, s: real, "
        "x: vector(n), y: vector(n), a: vector(n), b: function of x, y, K: antisymmetric(n) of s",
    ),
    "Kronecker products": (
        (
            "kron(A, B)' = kron(A', B')",
            "kron(A, B)*kron(C, A) = kron(A*C, B*A)",
            "kron(x, y)*kron(x, y)' = kron(x*x', y*y')",
            "kron(A, kron(B, C)) = kron(kron(A, B), C)",
            "tr(kron(A, B)) = tr(A)*tr(B)",
            "inv(kron(A, P)) = kron(inv(A), inv(P))",
            "det(kron(A, P)) = det(A)^k*det(P)^n",
            "norm(kron(x, y)) = norm(x)*norm(y)",
            "kron(x, y') = x*y'",
            "expm(kron(A, eye(k)) + kron(eye(n), P)) = kron(expm(A), expm(P))",
            "expm(s*kron(eye(n), P)) = kron(eye(n), expm(s*P))",
            "inv(s*kron(A, P)) = kron(inv(A), inv(P))/s",
            "det(s*kron(A, P)) = s^(n*k)*det(A)^k*det(P)^n",
        ),
        (
            "kron(A, B)' = kron(B', A')",
            "kron(A, B)*kron(C, A) = kron(A*A, B*C)",
            "kron(x, y) = kron(y, x)",
            "kron(A, B) = kron(B, A)",
            "inv(kron(A, B)) = kron(inv(B), inv(A))",
            "det(kron(A, P)) = det(A)^n*det(P)^k",
            "kron(x, y') = y*x'",
            "expm(kron(A, P)) = kron(expm(A), expm(P))",
            "expm(kron(A, eye(n)) + kron(B, eye(n))) = kron(expm(A), expm(B))",
            "expm(kron(A, eye(n)) + kron(B, eye(n))) = kron(expm(A)*expm(B), eye(n))",
            "expm(s*kron(eye(n), P)) = kron(eye(n), s*expm(P))",
            "inv(s*kron(A, P)) = s*kron(inv(A), inv(P))",
            "det(s*kron(A, P)) = s*det(A)^k*det(P)^n",
        ),
        "A: matrix(n,n), B: matrix(n,n), C: matrix(n,n), P: matrix(k,k), x: vector(n), y: vector(n), s: positive",
    ),
    "matrix logarithms": (
        (
            "expm(logm(A)) = A",
            "expm(-2*logm(A)) = inv(A)*inv(A)",
            "tr(logm(A)) = log(det(A))",
            "logm(inv(A)) = -logm(A)",
            "logm(s*A) = log(s)*eye(n) + logm(A)",
            "logm(A)*A = A*logm(A)",
            "logm(B*A*inv(B)) = B*logm(A)*inv(B)",
            "logm(expm(S)) = S",
            "grad_A tr(logm(A)) = inv(A)'",
            "d/dt logm(eye(n) + t*A) = A*inv(eye(n) + t*A)",
            "d/ds tr(logm(P)) = tr(inv(P)*d/ds(P))",
        ),
        (
            "logm(expm(A)) = A",
            "logm(A*B) = logm(A) + logm(B)",
            "logm(t*A) = log(t)*eye(n) + logm(A)",
            "logm(A)*B = B*logm(A)",
            "logm(A') = logm(A)",
            "logm(B*A*B') = B*logm(A)*B'",
            "d/dt logm(B + t*A) = A*inv(B + t*A)",
            "d/ds logm(P) = inv(P)*d/ds(P)",
            "tr(logm(A)) = log(tr(A))",
        ),
        "A: matrix(n,n), B: matrix(n,n), S: symmetric(n), P: spd(n) of s, s: positive, t: real",
    ),
    "exponentials of similar matrices": (
        (
            "expm(B*A*inv(B)) = B*expm(A)*inv(B)",
            "expm(Q*A*Q') = Q*expm(A)*Q'",
            "expm(B*diag(x)*inv(B)) = B*diag(exp(x))*inv(B)",
            "expm(s*eye(n) + A) = exp(s)*expm(A)",
            "d/ds expm(s*A + s^2*A^2) = (A + 2*s*A^2)*expm(s*A + s^2*A^2)",
            "tr(A*expm(A)*inv(eye(n) + A)) = tr(inv(eye(n) + A)*expm(A)*A)",
        ),
        (
            "expm(B*A*B') = B*expm(A)*B'",
            "expm(B*A*inv(A)) = B*expm(A)*inv(A)",
            "expm(inv(B)*A*B) = B*expm(A)*inv(B)",
            "expm(s*eye(n) + A) = s*expm(A)",
            "d/ds expm(s*A + s^2*A*A') = (A + 2*s*A*A')*expm(s*A + s^2*A*A')",
            "expm(A^2)*A' = A'*expm(A^2)",
        ),
        "A: matrix(n,n), B: matrix(n,n), Q: orthogonal(n), x: vector(n), s: real",
    ),
    "matrices that keep their structure": (
        ("Q'*d/ds(Q) + d/ds(Q)'*Q = 0", "d/ds det(Q) = 0", "d/ds(S)' = d/ds S", "d/ds logdet(S) = tr(inv(S)*d/ds(S))"),
        ("Q'*d/ds(Q) = 0", "Q*d/ds(Q)' = d/ds(Q)*Q'", "d/ds(Q)' = d/ds Q", "d/ds det(S) = tr(d/ds(S))"),
        "Q: orthogonal(n) of s, S: spd(n) of s, s: real",
    ),
    "denominators inside of functions": (
        ("1/(1 + 1/(1 + exp(s))) = (1 + exp(s))/(2 + exp(s))", "log(1 - 1/(1 + exp(-s))) = -log(1 + exp(s))",
         "1/(1 + 1/t) = t/(1 + t)"),
        ("1/(1 + 1/(1 + exp(s))) = (1 + exp(s))/(1 + exp(s))", "log(1 - 1/(1 + exp(-s))) = -log(1 + exp(-s))",
         "1/(1 + 1/t) = 1 + t", "log(1 + 1/t) = log(1 + t)"),
        "s: real, t: real, x: vector(n)",
    ),
    "whole exponents that are not known": (
        ("s^n*s^n = (s^n)^2", "(-1)^n*(-1)^n = 1", "(s*t)^n = s^n*t^n"),
        ("sqrt((s^n)^2) = s^n", "sqrt((s^k)^2) = s^k", "(-1)^n = 1", "(s + t)^n = s^n + t^n"),
        "s: real, t: real, k: integer, x: vector(n)",
    ),
    "layout": (
        ("(A*x)' = x'*A'",),
        ("0*x = 0*x'", "(A*x)' = A*x"),
        "A: matrix(n,n), x: vector(n)",
    ),
    "sums over indices": (
        ("sum(sum(A[i,j]*x[j], j, 1, n)^2, i, 1, n) = norm(A*x)^2", "sum(A[i,i], i, 1, n) = tr(A)"),
        ("sum(x[i]^2, i, 1, n) = sum(x)^2", "sum(A[i,i]*x[i], i, 1, n) = x'*A*x", "x[1] = x[2]"),
        "A: matrix(n,n), x: vector(n)",
    ),
    "single entries": (
        ("sum((grad_A det(A))[i,1]*A[i,1], i, 1, n) = det(A)", "sum((grad_A det(A))[i,2]*A[i,1], i, 1, n) = 0",
         "sum(grad_x x[2]) = 1", "eye(n)[2,2] = 1", "eye(n)[1,2] = 0"),
        ("sum((grad_A det(A))[i,2]*A[i,1], i, 1, n) = det(A)", "sum((grad_A det(A))[1,i]*A[i,1], i, 1, n) = det(A)",
         "sum(grad_x x[2]) = n", "eye(n)[2,2] = 0", "eye(n)[1,2] = 1"),
        "A: matrix(n,n), x: vector(n)",
    ),
    "functions of each entry": (
        ("grad_x sum(erf(x)) = 2/sqrt(pi)*exp(-(x.*x))", "sin(x).^2 + cos(x).^2 = ones(n)",
         "tanh(x).*cosh(x) = sinh(x)"),
        ("grad_x sum(erf(x)) = 1/sqrt(pi)*exp(-(x.*x))", "sin(x).^2 = sin(x)", "sum(exp(x)) = exp(sum(x))"),
        "x: vector(n)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_proves_its_identities(rule):
    identities, _, declared = RULES[rule]
    for text in identities:
        assert agreeing_sides(read_claim(f"{text} with {declared}"))[0], text


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_silent_on_false_neighbours(rule):
    _, neighbours, declared = RULES[rule]
    for text in neighbours:
        assert agreeing_sides(read_claim(f"{text} with {declared}"))[0] is None, text


def test_an_orthogonal_matrix_of_t_turns():
    turning = Variable("Q", shape=("n", "n"), structure="orthogonal", of=("t",))
    general = Variable("Q", shape=("n", "n"), of=("t",))
    q = abstract("Q", [symbol("t")])
    product = derivative(mul(transpose(q), q), "t")
    zero = mul(num(0), call("eye", symbol("n")))
    for variable, holds in ((turning, True), (general, False)):
        domain = Domain({"Q": variable, "t": Variable("t"), "n": Variable("n", "size")})
        assert bool(agreeing_sides(Claim(product, zero, domain))[0]) is holds
        assert agreeing_sides(Claim(derivative(q, "t"), add(q, zero), domain))[0] is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x'*K*x = 0 with K: antisymmetric(n), x: vector(n), everywhere", "kinks"),
        ("s*x = s*x with s: complex, x: vector(n)", "complex"),
        ("A*x = A*x with A: matrix(n,n), x: vector(n), y: vector(n), x = y", "no open set"),
        (
            "inv(kron(A, B) + kron(B, A))' = inv(kron(A', B') + kron(B', A')) with A: matrix(n,n), B: matrix(n,n)",
            "Kronecker",
        ),
    ],
)
def test_what_cannot_be_proved_says_why(text, reason):
    evidence = prove(read_claim(text))
    assert evidence.holds is None
    assert reason in evidence.detail["reason"]


def test_a_wrong_rule_is_caught_by_comparing_with_the_text(monkeypatch):
    claim = read_claim("sum(sin(x).^2) = n - sum(cos(2*x - x).^2) with x: vector(n)")
    assert prove(claim).holds
    monkeypatch.setattr(relations, "cosine", lambda a: cosine(a).scaled(2))
    wrong = read_claim("sum(sin(x).^2) = n - 4*sum(cos(x).^2) with x: vector(n)")
    assert agreeing_sides(wrong)[0]
    evidence = prove(wrong)
    assert evidence.holds is None
    assert "defect" in evidence.detail["reason"]


@pytest.mark.parametrize("text", ["log(-(x'*x)) = log(-(x'*x))", "sqrt(-exp(s)) = sqrt(-exp(s))", "inv(A - A) = A"])
def test_what_is_defined_nowhere_is_not_proved(text):
    claim = read_claim(f"{text} with x: vector(n), s: real, A: matrix(n,n)")
    assert agreeing_sides(claim)[0] is None


def test_nothing_is_confirmed_where_no_point_is_found():
    claim = read_claim("log(x'*y - norm(x)*norm(y)) = log(y'*x - norm(y)*norm(x)) with x: vector(n), y: vector(n)")
    assert agreeing_sides(claim)[0]
    assert prove(claim).detail["confirmed"] == 0
