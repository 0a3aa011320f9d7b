/* PUT: a tar stream becomes files below one directory. */
#ifndef AGENT_PUT_H
#define AGENT_PUT_H

#include <stdint.h>

struct transfer {
  const char *path;
  const char *user;    /* NULL: root */
  uint64_t max_bytes;
  uint32_t max_entries;
  uint32_t is_file;    /* of GET: the path is that of a file */
};

/* Takes a struct transfer, in a session's child. Ends it. */
void put_files(const void *transfer);

#endif
