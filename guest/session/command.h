/* EXEC: from its fields to an execve in the session's child. */
#ifndef AGENT_COMMAND_H
#define AGENT_COMMAND_H

#include "channel/channel.h"

void command_start(const struct frame *frame);

#endif
