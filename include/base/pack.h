/*
 * pack - numbers and texts as a run of bytes, and back: what one process tells another.
 *
 * Both ends are the same program on the same machine: numbers are as the machine has them. A pack
 * grows as it is written; a failure to grow is noted and asked for once, at the end. An unpack
 * never reads past its end: what is missing is 0 or empty, and noted likewise.
 */
#ifndef HOLDFAST_BASE_PACK_H
#define HOLDFAST_BASE_PACK_H

#include "base/str.h"

struct pack {
    char *bytes; /* owned */
    size_t n;
    size_t room;
    bool has_failed; /* memory was out: the pack is worth nothing */
};

void pack_init(struct pack *p);
void pack_reset(struct pack *p);

void pack_u64(struct pack *p, uint64_t number);

/* The length and the bytes, with a NUL behind them that is not counted. */
void pack_str(struct pack *p, struct str text);

/*
 * Write the bytes to a file at its offset; read a whole file, whatever its offset, into a pack that
 * is empty, and stays so on failure. False with errno. May block on the disk.
 */
bool pack_write(const struct pack *p, int fd);
bool pack_read(struct pack *p, int fd);

struct unpack {
    struct str rest;
    bool has_failed; /* there was less than was asked for */
};

/* `bytes` must outlive what is taken from it. */
void unpack_init(struct unpack *u, struct str bytes);
uint64_t unpack_u64(struct unpack *u);

/* A text in the bytes themselves, terminated by a NUL that is not counted. */
struct str unpack_str(struct unpack *u);

#endif
