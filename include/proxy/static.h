/*
 * static - the action `files`: the file that a path names, below one directory and nowhere else.
 *
 * What is not a file to be served does not exist (404), whatever the reason: not there, not to be
 * read, no regular file, out of the directory, a directory without an index, or a name that begins
 * with a dot (but for .well-known, RFC 8615). The file is opened for each request; there is no
 * cache but the kernel's.
 *
 * Elsewhere:  how nothing leads out of the directory (io/directory.c), conditions and ranges
 *             (http/precondition.c, http/range.c), sending (reply.c, http/h1_out.c).
 */
#ifndef HOLDFAST_PROXY_STATIC_H
#define HOLDFAST_PROXY_STATIC_H

#include "proxy/reply.h"

/* Answer the request as its route's `files` says. Blocks on the disk. */
void static_reply(struct txn *t);

/*
 * The path of the file that the request names below the directory of route `r`, `.` for the directory
 * itself, terminated, in t's arena. NULL: none that is served. The disk is not asked.
 */
const char *static_path(struct txn *t, const struct config_route *r);

/*
 * The file that an error page's route `r` has for the request, as the content of *a: without
 * validators, since they would be the error's. False: there is none; *a has no file then.
 */
bool static_page(struct txn *t, const struct config_route *r, struct answer *a);

#endif
