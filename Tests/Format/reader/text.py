# SPDX-License-Identifier: Apache-2.0
"""Values as PostgreSQL prints them (DateStyle ISO, TimeZone UTC, IntervalStyle postgres), and rows as CSV."""

import math
import struct
import uuid
from fractions import Fraction

from . import values
from .doubles import double_of, float_pattern_of

INFINITIES = {-(1 << 63): "-infinity", (1 << 63) - 1: "infinity"}
DATE_INFINITIES = {-(1 << 31): "-infinity", (1 << 31) - 1: "infinity"}


def text_of(value, kind):
    """The text of a value that is not NULL."""
    tag = kind.tag
    if tag == values.BOOLEAN:
        return "t" if value else "f"
    if tag in values.INTEGERS:
        return str(value)
    if tag == values.REAL:
        return floating(value, 32)
    if tag == values.DOUBLE:
        return floating(value, 64)
    if tag == values.NUMERIC:
        return decimal(*value)
    if tag in (values.TEXT, values.CHARACTER, values.JSONB):
        return value.decode("utf-8")
    if tag == values.BYTEA:
        return "\\x" + value.hex()
    if tag == values.UUID:
        return str(uuid.UUID(int=value))
    if tag == values.INTERVAL:
        return interval(*value)
    if tag == values.VECTOR:
        return "[" + ",".join(floating(pattern, 32) for pattern in value) + "]"
    if tag == values.DATE:
        return DATE_INFINITIES.get(value) or date(value)
    if value in INFINITIES:
        return INFINITIES[value]
    digits = 9 if tag in (values.TIMESTAMPTZ9, values.TIMESTAMP9) else 6
    return moment(value, digits, "+00" if tag in (values.TIMESTAMPTZ, values.TIMESTAMPTZ9) else "")


def decimal(coefficient, scale):
    digits = str(abs(coefficient)).rjust(scale + 1, "0")
    sign = "-" if coefficient < 0 else ""
    return sign + (f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits)


# Floating point: the shortest digits that lie strictly between the neighbouring midpoints, of these the nearest.


def floating(pattern, bits):
    fraction_bits, exponent_max, fixed_digits = (52, 0x7FF, 15) if bits == 64 else (23, 0xFF, 6)
    fraction, exponent = pattern & (1 << fraction_bits) - 1, pattern >> fraction_bits & exponent_max
    sign = "-" if pattern >> bits - 1 else ""
    if exponent == exponent_max:
        return "NaN" if fraction else f"{sign}Infinity"
    if not fraction and not exponent:
        return f"{sign}0"
    digits, power = shortest_digits(pattern & (1 << bits - 1) - 1, bits)
    if -4 <= power < fixed_digits:
        if power < 0:
            return f"{sign}0.{'0' * (-power - 1)}{digits}"
        whole, rest = digits[: power + 1].ljust(power + 1, "0"), digits[power + 1 :]
        return sign + whole + ("." + rest if rest else "")
    return f"{sign}{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{'-' if power < 0 else '+'}{abs(power):02}"


def shortest_digits(pattern, bits):
    """Digits without a point, and the power of ten of the first one, of a positive number."""
    return (quick_double_digits if bits == 64 else quick_float_digits)(pattern) or exact_digits(pattern, bits)


def quick_double_digits(pattern):
    """Python's shortest digits, which may be a midpoint where the fraction is even. None where that may be so: a midpoint
    of doubles has 17 digits at most from 2^52 to 10^41 alone."""
    value = double_of(pattern)
    return scientific(repr(value)) if pattern & 1 or not 2.0**52 <= value < 1e41 else None


def quick_float_digits(pattern):
    """The shortest correctly rounded digits that give the float back. None at a power of two, where the neighbours lie at
    different distances, and where the digits are a midpoint."""
    value, above = (struct.unpack("<f", struct.pack("<I", one))[0] for one in (pattern, pattern + 1))
    if not pattern & 0x7FFFFF or math.isinf(above):
        return None
    for digits in range(9):
        candidate = f"{value:.{digits}e}"
        if float_pattern_of(float(candidate)) == pattern:
            return scientific(candidate) if abs(float(candidate) - value) != (above - value) / 2 else None
    return None


def exact_digits(pattern, bits):
    fraction_bits, exponent_max = (52, 0x7FF) if bits == 64 else (23, 0xFF)
    fraction, exponent = pattern & (1 << fraction_bits) - 1, pattern >> fraction_bits
    mantissa, unit = (fraction | 1 << fraction_bits, exponent) if exponent else (fraction, 1)
    step = Fraction(2) ** (unit - exponent_max // 2 - fraction_bits)
    value = mantissa * step
    low, high = value - (step / 4 if not fraction and exponent > 1 else step / 2), value + step / 2
    power = len(str(int(value))) - 1 if value >= 1 else -len(str(int(1 / value)))
    while Fraction(10) ** (power + 1) <= value:
        power += 1
    for count in range(1, 18):
        scale = Fraction(10) ** (power - count + 1)
        below = int(value / scale)
        fitting = [number for number in (below, below + 1) if low < number * scale < high]
        if fitting:
            best = str(min(fitting, key=lambda number: (abs(number * scale - value), number % 2)))
            return best.rstrip("0"), power + len(best) - count
    raise AssertionError("17 digits are always enough")


def scientific(text):
    """Digits and power of ten of Python's notation of a positive number."""
    mantissa, _, exponent = text.partition("e")
    whole, _, rest = mantissa.partition(".")
    digits = (whole + rest).lstrip("0")
    power = int(exponent or 0) + len(whole) - 1
    if not whole.strip("0"):
        power -= len(rest) - len(rest.lstrip("0")) + 1
    return digits.rstrip("0") or "0", power


# Times. The Gregorian calendar reaches back before its invention; the year before 1 is 1 BC.


def civil(days):
    """Year, month and day of a day that is counted from 1970-01-01."""
    days += 719468  # from 0000-03-01, so that a leap day is the last of its year
    era, day_of_era = divmod(days, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year_of_era + era * 400 + (month <= 2), month, day


def dated(days, rest):
    year, month, day = civil(days)
    era = "" if year > 0 else " BC"
    return f"{year if year > 0 else 1 - year:04}-{month:02}-{day:02}{rest}{era}"


def date(days):
    return dated(days, "")


def moment(count, digits, zone):
    days, rest = divmod(count, 86400 * 10**digits)
    return dated(days, f" {clock(rest, digits)}{zone}")


def clock(count, digits):
    seconds, fraction = divmod(count, 10**digits)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    point = f".{fraction:0{digits}}".rstrip("0") if fraction else ""
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}"


def interval(months, days, microseconds):
    """Each field has a sign; one behind a negative field says so even where it is positive."""
    years, months = int(math.copysign(abs(months) // 12, months)), int(math.copysign(abs(months) % 12, months))
    parts, behind_negative = [], False
    for count, name in ((years, "year"), (months, "mon"), (days, "day")):
        if count:
            plus = "+" if behind_negative and count > 0 else ""
            parts.append(f"{plus}{count} {name}{'' if count == 1 else 's'}")
            behind_negative = count < 0
    if microseconds or not parts:
        sign = "-" if microseconds < 0 else "+" if behind_negative else ""
        parts.append(sign + clock(abs(microseconds), 6))
    return " ".join(parts)


# CSV, as PostgreSQL writes it: NULL is an empty field, the empty text is quoted.


def csv_field(value, kind):
    if value is None:
        return ""
    text = text_of(value, kind)
    return quoted(text)


def quoted(text):
    if text in ("", "\\.") or any(character in text for character in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_lines(columns, rows):
    """A header and a line a row; `columns` have names and types."""
    yield ",".join(quoted(column.name) for column in columns)
    for row in rows:
        yield ",".join(csv_field(value, column.type) for value, column in zip(row, columns))
