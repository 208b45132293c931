"""Which slip explains a wrong part?"""


def ode_slip(task, key, convention):
    return None


def implicit_slip(task, key, convention):
    return None


def recurrence_slip(task, key, convention):
    return None
