/*
 * files_record - the answers that a load was given, to give them again.
 *
 * Compiling is a function of the answers of `struct files`. A recorder asks another implementation
 * and notes each question with its answer; a replayer gives the noted answers in their order. So
 * one process reads the disk, and others compile the very same configuration without opening
 * anything.
 *
 * Invariant: the replayed load asks the same questions in the same order. One that does not is
 * refused: its answers from there on are failures, and has_strayed says so.
 */
#ifndef HOLDFAST_CONF_FILES_RECORD_H
#define HOLDFAST_CONF_FILES_RECORD_H

#include "base/pack.h"
#include "conf/files.h"

struct files_recorder {
    struct files files; /* first: the functions get its address */
    const struct files *asked;
    struct pack *to;
};

/* Ask `asked` and note all in `to`. Neither is copied; the caller looks at to->has_failed. */
void files_recorder_init(struct files_recorder *r, const struct files *asked, struct pack *to);

struct files_replayer {
    struct files files; /* first, likewise */
    struct unpack *from;
    bool *has_strayed;
};

/* Answer from what a recorder noted. `from` must live as long as the load; *has_strayed is set to
 * true where the load asks something else, from->has_failed where an answer is cut short: a load
 * with either is worth nothing. */
void files_replayer_init(struct files_replayer *r, struct unpack *from, bool *has_strayed);

#endif
