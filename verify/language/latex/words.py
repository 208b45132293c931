"""What do the commands of LaTeX mean in a formula?  Tables; a command that stands in none of them is refused."""

from __future__ import annotations

from verify.language.tokens import GREEK

#: Commands that only move things about, and those that only choose a style for what follows.
SPACES = frozenset((
    ",", ";", ":", "!", " ", ">", "\n", "\t", "thinspace", "medspace", "thickspace", "negthinspace",
    "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "nonumber", "notag", "allowbreak",
    "big", "Big", "bigg", "Bigg", "bigm", "Bigm", "strut", "mathstrut", "qedhere", "hfil", "null",
    "enspace", "hfill", "relax", "centering", "noindent", "/",
))  # fmt: skip
#: Commands whose argument says nothing about the formula.
SILENT = frozenset(("label", "tag", "hspace", "vspace", "phantom", "hphantom", "vphantom", "mathstrut", "color"))
#: Commands around a part of a formula, whose label says nothing about it.
BLOCKS = frozenset((
    "overset", "stackrel", "underset", "underbrace", "overbrace", "boxed", "textcolor", "colorbox",
))  # fmt: skip
#: Labels above = that make it a definition.
DEFINED_BY = ("def", ":", "triangle", "delta")
SIDES = frozenset(("left", "right", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr"))
#: Environments of lines, whose name and alignment say nothing about the formula.
LINES = frozenset((
    "equation", "align", "aligned", "gather", "gathered", "split", "multline", "eqnarray", "displaymath", "math",
    "flalign", "alignedat", "alignat", "dmath", "multlined",
))  # fmt: skip
CASES = frozenset(("cases", "dcases", "rcases", "numcases"))
MATRICES = frozenset(("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix", "array"))
STYLES = frozenset((
    "mathbf", "boldsymbol", "bm", "mathit", "mathsf", "vec", "mathcal", "pmb", "symbf", "mathnormal", "mathfrak",
))  # fmt: skip
#: Typefaces of vectors and matrices.
BOLD = frozenset(("mathbf", "boldsymbol", "bm", "vec", "pmb", "symbf"))
ACCENTS = {"hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde"}
WORDS = frozenset(("mathrm", "operatorname", "mathop"))
#: Commands that choose the typeface for the rest of their group, and those with an argument that do the same.
SWITCHES = {"rm": "mathrm", "bf": "mathbf", "it": "mathit", "sf": "mathsf", "cal": "mathcal"}

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
        "norm", "eye", "ones", "erfi", "relu", "Si", "Ci", "Ei", "Shi", "Chi", "li", "loggamma", "digamma", "expint",
        "airyai", "airybi", "LambertW", "beta", "agm",
    )
} | {
    "ln": "log", "sgn": "sign", "Tr": "tr", "trace": "tr", "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "Diag": "diag", "arctg": "atan", "tg": "tan",
    "ctg": "cot", "sh": "sinh", "ch": "cosh", "th": "tanh", "ReLU": "relu", "Ai": "airyai", "Bi": "airybi",
    "Sigmoid": "sigmoid", "Softplus": "softplus", "Softmax": "softmax", "LogSumExp": "logsumexp", "LSE": "logsumexp",
    "arcsch": "acsch", "arsech": "asech", "arcoth": "acoth", "B": "beta",
}  # fmt: skip
#: Functions that have a command of their own in common packages; the others are written \operatorname{…}.
COMMANDS = frozenset(FUNCTIONS) - {
    "dot", "sh", "ch", "th", "abs", "floor", "ceil", "norm", "outer", "kron", "inv", "beta", "B", "li",
}  # fmt: skip
#: The inverse function that an exponent -1 behind the name means.
INVERSES = {
    "sin": "asin", "cos": "acos", "tan": "atan", "cot": "acot", "sec": "asec", "csc": "acsc", "sinh": "asinh",
    "cosh": "acosh", "tanh": "atanh",
}  # fmt: skip
#: Greek letters that are functions where a bracket follows and nobody declares them.
GREEK_FUNCTIONS = {"Gamma": "gamma", "zeta": "zeta", "psi": "digamma"}

PRODUCTS = {"cdot": "*", "times": "*", "ast": "*", "*": "*", "cdotp": "*"}
#: Products and quotients entry by entry.
ENTRYWISE = {"odot": ".*", "circ": ".*", "oslash": "./"}
FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac")
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
FIELDS = {"R": "real", "Z": "integer", "C": "complex", "N": "nonnegative integer"}
#: Words between a formula and its conditions.
CONDITION_WORDS = frozenset((
    "for", "if", "when", "where", "with", "for all", "provided", "provided that", "whenever", "on", "and", "for every",
    "for any", "assuming", "with real", "for real",
))  # fmt: skip
OTHERWISE = frozenset(("otherwise", "else"))

#: Relations that make no claim here, and why.
UNJUDGED = {
    "approx": "an approximation is no equality", "simeq": "an approximation is no equality",
    "sim": "~ is no equality", "propto": "∝ is no equality", "cong": "≅ is no equality", "ll": "≪ is no equality",
    "gg": "≫ is no equality", "lesssim": "an estimate is no equality", "gtrsim": "an estimate is no equality",
    "preceq": "an order is no equality", "succeq": "an order is no equality",
}  # fmt: skip
#: Signs of definitions.
DEFINITIONS = frozenset((":=", "coloneqq", "coloneq", "triangleq", "doteq", "eqqcolon", "defeq"))

#: Commands that are understood and refused, with what to do.
REFUSED = {
    "iint": ("double integrals are not read", r"write \int \int"),
    "oint": ("integrals along curves are not read", ""),
    "lim": ("limits are not supported", ""),
    "pm": ("± makes two claims of one", "write two claims"),
    "mp": ("∓ makes two claims of one", "write two claims"),
    "to": ("an arrow is no equality", ""),
    "implies": ("one equality a claim", "write the equalities in lines of their own"),
    "Rightarrow": ("one equality a claim", "write the equalities in lines of their own"),
    "iff": ("one equality a claim", "write the equalities in lines of their own"),
    "dots": ("dots leave open what stands there", "write it out"),
    "ldots": ("dots leave open what stands there", "write it out"),
    "cdots": ("dots leave open what stands there", "write it out"),
    "lg": (r"\lg can have the base 10 or 2", r"write \log_{10} or \log_2"),
    "middle": ("a bar in the middle is no part of a formula here", ""),
}
