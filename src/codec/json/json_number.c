#include "codec/json/json_number.h"

bool json_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum json_number json_number_begin(char c)
{
    return c == '-' ? NUMBER_MINUS : c == '0' ? NUMBER_ZERO : NUMBER_INTEGER;
}

static bool enter(enum json_number *state, bool allowed, enum json_number next)
{
    if (allowed)
        *state = next;
    return allowed;
}

bool json_number_take(enum json_number *state, char c)
{
    bool digit = json_is_digit(c), e = c == 'e' || c == 'E';

    switch (*state) {
    case NUMBER_MINUS:
        return enter(state, digit, json_number_begin(c));
    case NUMBER_ZERO:
        return enter(state, c == '.', NUMBER_DOT) || enter(state, e, NUMBER_E);
    case NUMBER_INTEGER:
        return digit || enter(state, c == '.', NUMBER_DOT) || enter(state, e, NUMBER_E);
    case NUMBER_DOT:
        return enter(state, digit, NUMBER_FRACTION);
    case NUMBER_FRACTION:
        return digit || enter(state, e, NUMBER_E);
    case NUMBER_E:
        return enter(state, c == '+' || c == '-', NUMBER_E_SIGN) ||
               enter(state, digit, NUMBER_EXPONENT);
    case NUMBER_E_SIGN:
        return enter(state, digit, NUMBER_EXPONENT);
    case NUMBER_EXPONENT:
        return digit;
    }
    return false;
}

bool json_number_may_end(enum json_number state, char next)
{
    if (state == NUMBER_ZERO)
        return !json_is_digit(next);
    return state == NUMBER_INTEGER || state == NUMBER_FRACTION ||
           state == NUMBER_EXPONENT;
}

const char *json_number_wanted(enum json_number state)
{
    switch (state) {
    case NUMBER_MINUS:
        return "a digit after '-'";
    case NUMBER_ZERO:
        return "'.', 'e' or the end of the number after a leading zero";
    case NUMBER_DOT:
        return "a digit after '.'";
    case NUMBER_E:
    case NUMBER_E_SIGN:
        return "a digit of the exponent";
    case NUMBER_INTEGER:
    case NUMBER_FRACTION:
    case NUMBER_EXPONENT:
        break;
    }
    return "the rest of the number";
}
