/* PUT and GET: tar streams in and out, each in a child of its own. */
#ifndef AGENT_TRANSFER_H
#define AGENT_TRANSFER_H

#include "channel/channel.h"

void transfer_start(const struct frame *frame);

#endif
