/*
 * date - HTTP-date (RFC 9110 5.6.7), in seconds since 1970-01-01 UTC.
 */
#ifndef HOLDFAST_HTTP_DATE_H
#define HOLDFAST_HTTP_DATE_H

#include "base/str.h"

/* `Sun, 06 Nov 1994 08:49:37 GMT`, not terminated. */
#define DATE_TEXT_LEN 29

/*
 * Read a date in any of the three forms that a recipient has to know: the one above (IMF-fixdate),
 * `Sunday, 06-Nov-94 08:49:37 GMT` (RFC 850) and `Sun Nov  6 08:49:37 1994` (asctime). Case and
 * spaces count. The years of the second form are those of the hundred years that end 50 years after
 * now_s. The day of the week must be one, but not the right one. False for everything else;
 * *seconds is left alone then. May be before 1970, and negative.
 */
bool date_read(struct str text, int64_t now_s, int64_t *seconds);

/* Write a date in the first form. What has no year of four digits becomes the nearest that has. */
void date_write(int64_t seconds, char out[DATE_TEXT_LEN]);

#endif
