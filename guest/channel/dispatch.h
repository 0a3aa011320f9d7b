/* Every frame from the host: checked, then handed to who serves it. */
#ifndef AGENT_DISPATCH_H
#define AGENT_DISPATCH_H

#include <stdbool.h>

#include "channel/channel.h"

/* `with_sessions` false: the probe, which has no root to run anything in. */
void dispatch_open(bool with_sessions);
void dispatch(const struct frame *frame);

#endif
