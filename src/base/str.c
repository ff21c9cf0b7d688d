/*
 * str - a run of bytes with its length.
 */
#include "base/str.h"

#define DISTANCE_NAME_MAX 64

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (str_lower_char(a.p[i]) != str_lower_char(b.p[i]))
            return false;
    return true;
}

int str_compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

    if (order != 0)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool str_contains(struct str s, struct str part)
{
    if (part.n == 0)
        return true;
    return s.n >= part.n && memmem(s.p, s.n, part.p, part.n) != NULL;
}

static bool str_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && str_is_blank(s.p[0]))
        s = str_slice(s, 1, s.n);
    while (s.n > 0 && str_is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_to_u64(struct str s, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

        if (digit > 9)
            return false;
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *number = value;
    return true;
}

size_t str_put_u64(char *out, uint64_t number)
{
    char digits[STR_U64_MAX];
    size_t at = sizeof(digits);
    size_t n;

    if (number < 10) { /* most are: versions, attempts, octets */
        *out = (char)('0' + number);
        return 1;
    }
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    n = sizeof(digits) - at;
    memcpy(out, digits + at, n);
    return n;
}

size_t str_put_hex(char *out, uint64_t number)
{
    char digits[16];
    size_t at = sizeof(digits);
    size_t n;

    do {
        digits[--at] = "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number > 0);
    n = sizeof(digits) - at;
    memcpy(out, digits + at, n);
    return n;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

static bool same_letter(char a, char b)
{
    return str_lower_char(a) == str_lower_char(b);
}

unsigned str_distance(struct str a, struct str b, unsigned limit)
{
    unsigned before[DISTANCE_NAME_MAX + 1]; /* row i - 2: for swaps */
    unsigned above[DISTANCE_NAME_MAX + 1];
    unsigned row[DISTANCE_NAME_MAX + 1];

    if (a.n > DISTANCE_NAME_MAX || b.n > DISTANCE_NAME_MAX)
        return limit + 1;
    for (size_t j = 0; j <= b.n; j++)
        above[j] = (unsigned)j;
    memcpy(before, above, sizeof(before));

    for (size_t i = 1; i <= a.n; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            bool same = same_letter(a.p[i - 1], b.p[j - 1]);

            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1));
            if (i > 1 && j > 1 && same_letter(a.p[i - 1], b.p[j - 2]) &&
                same_letter(a.p[i - 2], b.p[j - 1]) && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        memcpy(before, above, sizeof(before));
        memcpy(above, row, sizeof(above));
    }
    return above[b.n] > limit ? limit + 1 : above[b.n];
}
