/*
 * date - HTTP-date (RFC 9110 5.6.7), in seconds since 1970-01-01 UTC.
 *
 * timegm(3) and strptime(3) are not used: they take what is no date (month 13, names in another
 * language) for one.
 */
#include "http/date.h"

#define DAY_S        86400
#define YEAR_0_S     (-INT64_C(62167219200)) /* 0000-01-01T00:00:00 */
#define YEAR_9999_S  INT64_C(253402300799)   /* 9999-12-31T23:59:59 */
#define DAYS_OF_ERA  146097                  /* 400 years */
#define DAYS_TO_1970 719468                  /* from 0000-03-01 */

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
/* 1970 began on a Thursday. */
static const char day_names[7][10] = {"Thursday", "Friday",  "Saturday", "Sunday",
                                      "Monday",   "Tuesday", "Wednesday"};

struct moment {
    int64_t year;
    unsigned month; /* 1..12 */
    unsigned day;   /* 1..31 */
    unsigned hour;
    unsigned minute;
    unsigned second;
};

/*
 * Days since 1970-01-01, and back, in the Gregorian calendar. Years are counted from March here: the
 * leap day is the last of its year, and the lengths of the months follow one formula.
 */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_OF_ERA + day_of_era - DAYS_TO_1970;
}

static struct moment moment_of(int64_t seconds)
{
    int64_t days = (seconds >= 0 ? seconds : seconds - (DAY_S - 1)) / DAY_S;
    unsigned rest = (unsigned)(seconds - days * DAY_S);
    int64_t z = days + DAYS_TO_1970;
    int64_t era = (z >= 0 ? z : z - (DAYS_OF_ERA - 1)) / DAYS_OF_ERA;
    int64_t day_of_era = z - era * DAYS_OF_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (unsigned)((5 * day_of_year + 2) / 153); /* 0: March */

    return (struct moment){
        .year = year_of_era + era * 400 + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1),
        .hour = rest / 3600,
        .minute = rest / 60 % 60,
        .second = rest % 60,
    };
}

/* Take a text off the front. */
static bool take(struct str *s, struct str text)
{
    if (!str_starts_with(*s, text))
        return false;
    *s = str_slice(*s, text.n, s->n);
    return true;
}

/* Take n digits off the front. */
static bool take_digits(struct str *s, size_t n, unsigned *number)
{
    uint64_t value;

    if (s->n < n || !str_to_u64(str_slice(*s, 0, n), UINT32_MAX, &value))
        return false;
    *number = (unsigned)value;
    *s = str_slice(*s, n, s->n);
    return true;
}

static bool take_month(struct str *s, unsigned *month)
{
    for (unsigned i = 0; i < 12; i++)
        if (take(s, (struct str){month_names[i], 3})) {
            *month = i + 1;
            return true;
        }
    return false;
}

/* A day's name: whole, or its first three letters. */
static bool take_day_name(struct str *s, bool is_whole)
{
    for (unsigned i = 0; i < 7; i++)
        if (take(s, is_whole ? str_of(day_names[i]) : (struct str){day_names[i], 3}))
            return true;
    return false;
}

static bool take_time(struct str *s, struct moment *m)
{
    return take_digits(s, 2, &m->hour) && take(s, STR(":")) && take_digits(s, 2, &m->minute) &&
           take(s, STR(":")) && take_digits(s, 2, &m->second);
}

/* "06 Nov 1994 08:49:37 GMT", behind the day's name */
static bool read_fixdate(struct str s, struct moment *m)
{
    unsigned year;

    if (!take(&s, STR(", ")) || !take_digits(&s, 2, &m->day) || !take(&s, STR(" ")) ||
        !take_month(&s, &m->month) || !take(&s, STR(" ")) || !take_digits(&s, 4, &year) ||
        !take(&s, STR(" ")) || !take_time(&s, m))
        return false;
    m->year = year;
    return str_eq(s, STR(" GMT"));
}

/* "06-Nov-94 08:49:37 GMT" */
static bool read_rfc850(struct str s, int64_t now_s, struct moment *m)
{
    int64_t last_year = moment_of(now_s).year + 50;
    unsigned year;

    if (!take(&s, STR(", ")) || !take_digits(&s, 2, &m->day) || !take(&s, STR("-")) ||
        !take_month(&s, &m->month) || !take(&s, STR("-")) || !take_digits(&s, 2, &year) ||
        !take(&s, STR(" ")) || !take_time(&s, m))
        return false;
    m->year = last_year - last_year % 100 + year;
    if (m->year > last_year)
        m->year -= 100;
    return str_eq(s, STR(" GMT"));
}

/* " Nov  6 08:49:37 1994" */
static bool read_asctime(struct str s, struct moment *m)
{
    unsigned year;

    if (!take(&s, STR(" ")) || !take_month(&s, &m->month) || !take(&s, STR(" ")) ||
        !(take(&s, STR(" ")) ? take_digits(&s, 1, &m->day) : take_digits(&s, 2, &m->day)) ||
        !take(&s, STR(" ")) || !take_time(&s, m) || !take(&s, STR(" ")) ||
        !take_digits(&s, 4, &year))
        return false;
    m->year = year;
    return s.n == 0;
}

/* Second 60 is a leap second, which the count of seconds does not have. */
static bool is_real(const struct moment *m)
{
    static const unsigned char lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = m->year % 4 == 0 && (m->year % 100 != 0 || m->year % 400 == 0);

    return m->day >= 1 && m->day <= lengths[m->month - 1] + (m->month == 2 && is_leap ? 1u : 0u) &&
           m->hour <= 23 && m->minute <= 59 && m->second <= 60;
}

bool date_read(struct str text, int64_t now_s, int64_t *seconds)
{
    struct moment m;
    struct str s = text;
    bool is_read;

    if (take_day_name(&s, true) && s.n > 0 && s.p[0] == ',')
        is_read = read_rfc850(s, now_s, &m);
    else if (s = text, !take_day_name(&s, false))
        return false;
    else if (s.n > 0 && s.p[0] == ',')
        is_read = read_fixdate(s, &m);
    else
        is_read = read_asctime(s, &m);
    if (!is_read || !is_real(&m))
        return false;
    *seconds = days_of(m.year, m.month, m.day) * DAY_S + m.hour * 3600 + m.minute * 60 + m.second;
    return true;
}

static void put_digits(char *out, unsigned n, uint64_t number)
{
    while (n-- > 0) {
        out[n] = (char)('0' + number % 10);
        number /= 10;
    }
}

void date_write(int64_t seconds, char out[DATE_TEXT_LEN])
{
    struct moment m;
    int64_t day;

    if (seconds < YEAR_0_S)
        seconds = YEAR_0_S;
    if (seconds > YEAR_9999_S)
        seconds = YEAR_9999_S;
    m = moment_of(seconds);
    day = days_of(m.year, m.month, m.day) % 7;
    memcpy(out, "Day, 00 Mon 0000 00:00:00 GMT", DATE_TEXT_LEN);
    memcpy(out, day_names[day < 0 ? day + 7 : day], 3);
    put_digits(out + 5, 2, m.day);
    memcpy(out + 8, month_names[m.month - 1], 3);
    put_digits(out + 12, 4, (uint64_t)m.year);
    put_digits(out + 17, 2, m.hour);
    put_digits(out + 20, 2, m.minute);
    put_digits(out + 23, 2, m.second);
}
