/* A tar stream on standard output, in a child: an error ends the child with a report. */
#ifndef AGENT_TAR_WRITE_H
#define AGENT_TAR_WRITE_H

#include "files/tar.h"

void tar_entry(const struct tar_entry *entry);

/* The content of the entry: exactly its size, whatever has become of the file meanwhile. */
void tar_file(int fd, uint64_t size);

void tar_end(void);

#endif
