/* The directories, mounts and links that every guest has, whatever its image holds. */
#ifndef AGENT_TREE_H
#define AGENT_TREE_H

/* `root` is the new root, before the agent has moved into it. */
void tree_make(int root);

#endif
