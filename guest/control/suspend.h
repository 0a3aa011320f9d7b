/* SUSPEND and START: the guest stands still, is saved, and goes on as any number of others. */
#ifndef AGENT_SUSPEND_H
#define AGENT_SUSPEND_H

#include <stdbool.h>

#include "channel/channel.h"

void suspend_begin(const struct frame *frame);

/* From the SUSPEND to the START: no other frame is taken. */
bool suspend_has_begun(void);

/* Goes on with it where that is due. */
void suspend_step(void);

/* START: HELLO follows. */
void suspend_end(const struct frame *frame);

#endif
