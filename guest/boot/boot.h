/* Init's work before the first frame. Everything on the root image is untrusted. */
#ifndef AGENT_BOOT_H
#define AGENT_BOOT_H

#include <stdbool.h>

#include "boot/options.h"

/* False: no root was asked for, only the channel is up. */
bool boot(void);

/* Whether this guest can stand still now, and go on as another. */
bool boot_may_suspend(void);

/* When no process but the agent is left: lets go of the disks, and of what a saved guest need not hold. */
void boot_suspend(void);

/* Goes on with this host name, upper and persist disk; what is empty is as it was, or is not there. */
void boot_start(const struct options *given);

#endif
