/* SYNC: after a boot and after a restore the guest has no time, randomness and machine id of its own. */
#ifndef AGENT_CLOCK_H
#define AGENT_CLOCK_H

#include "channel/channel.h"

void clock_sync(const struct frame *frame);

#endif
