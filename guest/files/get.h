/* GET: one directory with all that is below it, or one file, becomes a tar stream. */
#ifndef AGENT_GET_H
#define AGENT_GET_H

/* Takes a struct transfer, in a session's child. Ends it. */
void get_files(const void *transfer);

#endif
