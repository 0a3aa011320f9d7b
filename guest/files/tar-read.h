/* A tar stream on standard input, in a child: what is wrong with it ends the child with a report. */
#ifndef AGENT_TAR_READ_H
#define AGENT_TAR_READ_H

#include <stdbool.h>

#include "files/tar.h"

/*
 * The next entry; its strings live until the next call. False at the end of the archive. The
 * content of the entry before must have been read.
 */
bool tar_next(struct tar_entry *entry);

/* Some of the content, at least 1 and at most `most` bytes; lives until the next call. */
size_t tar_content(const uint8_t **bytes, uint64_t most);

/* Reads over content, and over its padding. */
void tar_skip(uint64_t length);

#endif
