/*
 * quantity - numbers with units. What a directive expects decides whether `5m` is minutes or
 * mebibytes. Whole numbers only.
 */
#ifndef HOLDFAST_CONF_QUANTITY_H
#define HOLDFAST_CONF_QUANTITY_H

#include "base/str.h"

/* The longest duration: what fits 32 bits of milliseconds, with one value left for `never`. */
#define QUANTITY_MS_MAX (UINT32_MAX - 1)

enum quantity_result { QUANTITY_OK, QUANTITY_MALFORMED, QUANTITY_TOO_LARGE };

/* Room for any quantity as text. */
#define QUANTITY_TEXT_MAX 24

/* Bytes alone, or K M G T, KiB MiB GiB TiB, in either case; `unlimited` is UINT64_MAX. */
enum quantity_result quantity_size(struct str text, uint64_t *bytes);

/* ms s m h d; 0 needs no unit. At most QUANTITY_MS_MAX. */
enum quantity_result quantity_duration(struct str text, uint64_t *ms);

/* Digits alone. */
enum quantity_result quantity_count(struct str text, uint64_t *number);

/* Permissions: three or four octal digits. */
enum quantity_result quantity_octal(struct str text, uint64_t *mode);

/* Write a quantity in the largest unit that needs no fraction. Room QUANTITY_TEXT_MAX. */
size_t quantity_put_size(char *out, uint64_t bytes);
size_t quantity_put_duration(char *out, uint64_t ms);

#endif
