/* What EXIT says of a guest beside how its command ended. */
#ifndef AGENT_VERDICT_H
#define AGENT_VERDICT_H

#include <stdbool.h>

/* The bits of LIMITS. */
#define LIMIT_TASKS 1u
#define LIMIT_DISK 2u

/* The file system of `/` takes no more. */
bool verdict_disk_is_full(void);

/* /out is a directory, itself, and holds anything. */
bool verdict_has_out(void);

#endif
