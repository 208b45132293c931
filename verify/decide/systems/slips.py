"""Which slip explains a wrong part?"""


def ode_slip(task, key, convention):
    return None
