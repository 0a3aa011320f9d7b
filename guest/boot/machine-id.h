/* machine-id(5): what tells this guest from every other. */
#ifndef AGENT_MACHINE_ID_H
#define AGENT_MACHINE_ID_H

#include <stdint.h>

#define MACHINE_ID_BYTES 16u

/* In the agent's root. A file that cannot be written is logged, no more. */
void machine_id_set(const uint8_t *id);

#endif
