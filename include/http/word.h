/*
 * word - eight bytes of text looked at as one number.
 *
 * Heads are mostly plain text; these find the few bytes that are not, eight at a time. The first
 * byte in memory is the lowest of the word, whatever the machine's order, so that carries run
 * forward and the first mark is always a true one.
 */
#ifndef HOLDFAST_HTTP_WORD_H
#define HOLDFAST_HTTP_WORD_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD_BYTES sizeof(uint64_t)
#define WORD_ONES  UINT64_C(0x0101010101010101)
#define WORD_HIGHS (0x80 * WORD_ONES)

static inline uint64_t word_load(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return le64toh(word);
}

/*
 * The high bit of bytes below 0x20 and of 0x7f. Above the first byte that is marked truly, others
 * may be marked wrongly: so ask only whether there is one and where the first is.
 */
static inline uint64_t word_controls(uint64_t word)
{
    uint64_t del = word ^ (0x7f * WORD_ONES);

    return (((word - 0x20 * WORD_ONES) & ~word) | ((del - WORD_ONES) & ~del)) & WORD_HIGHS;
}

/* Which byte, from 0, has the first mark; marks must not be 0. */
static inline size_t word_first(uint64_t marks)
{
    return (size_t)__builtin_ctzll(marks) / 8;
}

/* A to Z in lower case; exact for every byte. */
static inline uint64_t word_lower(uint64_t word)
{
    uint64_t low = word & ~WORD_HIGHS;
    uint64_t from_a = low + (0x80 - 'A') * WORD_ONES;
    uint64_t past_z = low + (0x7f - 'Z') * WORD_ONES;

    return word | ((from_a & ~past_z & ~word & WORD_HIGHS) >> 2);
}

#endif
