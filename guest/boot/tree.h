/* The directories, mounts and links that every guest has, whatever its image holds. */
#ifndef AGENT_TREE_H
#define AGENT_TREE_H

/* `root` is the new root, before the agent has moved into it: everything is mounted anew. */
void tree_make(int root);

/* `root` is one that somebody has prepared: what is mounted stays, and no mount has to be. */
void tree_complete(int root);

#endif
