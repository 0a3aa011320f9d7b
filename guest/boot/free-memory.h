/* Memory that is free, but still holds what was in it. */
#ifndef AGENT_FREE_MEMORY_H
#define AGENT_FREE_MEMORY_H

/* Makes most of it read as zeros, which whoever saves the guest's memory need not keep. */
void free_memory_clear(void);

#endif
