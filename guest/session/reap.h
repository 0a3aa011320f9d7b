/* Children that ended: commands, supervisors and, for init, every orphan. */
#ifndef AGENT_REAP_H
#define AGENT_REAP_H

#include <stdbool.h>

void reap_open(void);

/* True when there may be more. */
bool reap(void);

/* For init: ends every process of the guest and waits for that. False when some process does not end. */
bool reap_everything(int timeout_ms);

#endif
