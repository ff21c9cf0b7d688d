/*
 * field - the names of header fields.
 *
 * A name that the program knows has an id, found by its length and first letter; every other name
 * is FIELD_OTHER and is compared as text. Names are compared without regard to case (RFC 9110
 * 5.1).
 */
#ifndef HOLDFAST_HTTP_FIELD_H
#define HOLDFAST_HTTP_FIELD_H

#include "base/str.h"

enum field_id {
    FIELD_OTHER,
#define X(id, name, kind) FIELD_##id,
#include "grammar/fields.def"
#undef X
    FIELD_N
};

enum field_kind { FIELD_KIND_END, FIELD_KIND_HOP, FIELD_KIND_FRAMING };

/* One field line: name and value as received or set, value without surrounding white space. */
struct field {
    struct str name;
    struct str value;
    enum field_id id;
};

/* The id of a name, FIELD_OTHER where it is not in fields.def. */
enum field_id field_find(struct str name);

/* The canonical spelling; id must not be FIELD_OTHER. */
struct str field_name(enum field_id id);

/* FIELD_KIND_END for FIELD_OTHER. */
enum field_kind field_kind(enum field_id id);

/* Is text a token (RFC 9110 5.6.2): a legal field name or method? */
bool field_is_token(struct str text);

/*
 * May text stand as a field value (RFC 9110 5.5): no CR, LF, NUL or other control but tab, no
 * blank at either end? Bytes above 0x7f are allowed (obs-text).
 */
bool field_is_value(struct str text);

#endif
