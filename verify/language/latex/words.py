"""What do the commands of LaTeX mean in a formula?  Tables; a command that stands in none of them is refused."""

from __future__ import annotations

from verify.language.tokens import GREEK

#: Commands that only move things about, and those that only choose a style for what follows.
SPACES = frozenset((
    ",", ";", ":", "!", " ", ">", "\n", "\t", "thinspace", "medspace", "thickspace", "negthinspace",
    "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "nonumber", "notag", "allowbreak",
    "big", "Big", "bigg", "Bigg", "bigm", "Bigm", "strut", "mathstrut",
    "enspace", "hfill", "relax", "centering", "noindent", "/",
))  # fmt: skip
#: Commands whose argument says nothing about the formula.
SILENT = frozenset(("label", "tag", "hspace", "vspace", "phantom", "hphantom", "vphantom", "mathstrut"))
#: Environments of lines, whose name and alignment say nothing about the formula.
LINES = frozenset((
    "equation", "align", "aligned", "gather", "gathered", "split", "multline", "eqnarray", "displaymath", "math",
    "flalign", "alignedat",
))  # fmt: skip
STYLES = frozenset((
    "mathbf", "boldsymbol", "bm", "mathit", "mathsf", "vec", "mathcal", "pmb", "symbf", "mathnormal", "mathfrak",
))  # fmt: skip
#: Typefaces of vectors and matrices.
BOLD = frozenset(("mathbf", "boldsymbol", "bm", "vec", "pmb", "symbf"))
ACCENTS = {"hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde"}
WORDS = frozenset(("mathrm", "operatorname", "textrm", "mathop", "rm", "textnormal", "textit"))

_VARIANTS = {
    "varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varrho": "rho", "varsigma": "sigma",
    "varkappa": "kappa",
}  # fmt: skip
#: Letters with a name; two ways to draw one letter are one name only where no formula uses both.
LETTERS = {name: name for name in GREEK.values()} | _VARIANTS | {"ell": "ell", "hbar": "hbar", "pi": "pi"}

#: Functions by their commands and by their names in upright type.
FUNCTIONS = {
    name: name
    for name in (
        "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech", "csch", "exp", "log", "max",
        "min", "det", "arcsin", "arccos", "arctan", "arccot", "arcsec", "arccsc", "diag", "tr", "erf", "erfc", "asin",
        "acos", "atan", "asinh", "acosh", "atanh", "atan2", "sign", "abs", "floor", "ceil", "softplus", "sigmoid",
        "logit", "expm", "logm", "logdet", "inv", "softmax", "logsumexp", "log1p", "expm1", "dot", "outer", "kron",
        "norm", "eye", "ones",
    )
} | {
    "ln": "log", "sgn": "sign", "Tr": "tr", "trace": "tr", "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "Diag": "diag", "arctg": "atan", "tg": "tan",
    "ctg": "cot", "sh": "sinh", "ch": "cosh", "th": "tanh",
}  # fmt: skip
#: Functions that have a command of their own in common packages; the others are written \operatorname{…}.
COMMANDS = frozenset(FUNCTIONS) - {"dot", "sh", "ch", "th", "abs", "floor", "ceil", "norm", "outer", "kron", "inv"}
#: The inverse function that an exponent -1 behind the name means.
INVERSES = {
    "sin": "asin", "cos": "acos", "tan": "atan", "cot": "acot", "sec": "asec", "csc": "acsc", "sinh": "asinh",
    "cosh": "acosh", "tanh": "atanh",
}  # fmt: skip
#: Greek letters that are functions where a bracket follows and nobody declares them.
GREEK_FUNCTIONS = {"Gamma": "gamma", "zeta": "zeta", "psi": "digamma"}

PRODUCTS = {"cdot": "*", "times": "*", "ast": "*", "*": "*", "odot": ".*", "cdotp": "*"}
RELATIONS = {
    "le": "<=", "leq": "<=", "ge": ">=", "geq": ">=", "ne": "!=", "neq": "!=", "lt": "<", "gt": ">",
    "leqslant": "<=", "geqslant": ">=", "equiv": "=", "=": "=", "<": "<", ">": ">",
}  # fmt: skip
#: What a pair of brackets does: the sign that closes it, and the function that it is.
BRACKETS = {
    "(": (")", ""), "[": ("]", ""), "{": ("}", ""), "lvert": ("rvert", "abs"), "lVert": ("rVert", "norm"),
    "lfloor": ("rfloor", "floor"), "lceil": ("rceil", "ceil"), "lbrace": ("rbrace", ""), "lparen": ("rparen", ""),
    "lbrack": ("rbrack", ""),
}  # fmt: skip
#: Commands that end something; no factor begins with them.
CLOSING = frozenset(("rvert", "rVert", "rfloor", "rceil", "rbrace", "rparen", "rbrack", "rangle", "}", "right"))
#: Fields whose members a condition can name, and the kinds that they are.
FIELDS = {"R": "real", "Z": "integer", "C": "complex"}
#: Words between a formula and its conditions.
CONDITION_WORDS = frozenset((
    "for", "if", "when", "where", "with", "for all", "provided", "provided that", "whenever", "on", "and", "for every",
    "for any", "assuming", "with real", "for real",
))  # fmt: skip
OTHERWISE = frozenset(("otherwise", "else"))

#: Commands that are understood and refused, with what to do.
REFUSED = {
    "int": ("integrals are not supported yet", ""),
    "iint": ("integrals are not supported yet", ""),
    "oint": ("integrals are not supported yet", ""),
    "prod": ("products over an index are not supported", "write the factors"),
    "lim": ("limits are not supported", ""),
    "pm": ("± makes two claims of one", "write two claims"),
    "mp": ("∓ makes two claims of one", "write two claims"),
    "approx": ("an approximation is no equality", "write ="),
    "sim": ("~ is no equality", ""),
    "propto": ("∝ is no equality", "write the factor"),
    "to": ("an arrow is no equality", ""),
    "implies": ("one equality a claim", "write the equalities in lines of their own"),
    "Rightarrow": ("one equality a claim", "write the equalities in lines of their own"),
    "iff": ("one equality a claim", "write the equalities in lines of their own"),
    "dots": ("dots leave open what stands there", "write it out"),
    "ldots": ("dots leave open what stands there", "write it out"),
    "cdots": ("dots leave open what stands there", "write it out"),
    "circ": ("∘ can be a composition or a product entry by entry", r"write f(g(x)), or \odot"),
    "otimes": (r"⊗ is not supported in LaTeX", r"write \operatorname{kron}(A, B)"),
    "lg": (r"\lg can have the base 10 or 2", r"write \log_{10} or \log_2"),
    "binom": ("binomial coefficients are not supported", "write factorials"),
    "ddot": ("two dots do not say by what", r"write \frac{d^2}{dt^2}"),
    "middle": ("a bar in the middle is no part of a formula here", ""),
}
