/* SHUTDOWN: SIGTERM, a grace, SIGKILL, clean disks, the reply, power off. */
#ifndef AGENT_SHUTDOWN_H
#define AGENT_SHUTDOWN_H

#include <stdbool.h>

#include "channel/channel.h"

void shutdown_begin(const struct frame *frame);
bool shutdown_has_begun(void);

/* Goes on with it where that is due. */
void shutdown_step(void);

#endif
