/*
 * media_type - the media type of a file, by the end of its name.
 */
#ifndef HOLDFAST_HTTP_MEDIA_TYPE_H
#define HOLDFAST_HTTP_MEDIA_TYPE_H

#include "base/str.h"

/*
 * The type for a path, by what stands behind the last dot of its last segment, without regard to
 * case; `application/octet-stream`, which no browser shows, for what is not known. Texts are said
 * to be UTF-8. The result lives as long as the program.
 */
struct str media_type_of(struct str path);

#endif
