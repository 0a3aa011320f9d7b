/* Directories in a tree that somebody else has made: links in it lead nowhere but into it. */
#ifndef AGENT_DIRECTORY_H
#define AGENT_DIRECTORY_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * An O_PATH descriptor of `path` below `root`. Whatever stands in the way and is no directory, also
 * a link, is replaced. -1 with errno.
 */
int directory_make(int root, const char *path, mode_t mode);

/* The same, but a link that ends at a directory below `root` may stay. */
int directory_find(int root, const char *path, mode_t mode);

/* The same, but nothing is made or replaced. */
int directory_look(int root, const char *path);

/* Whether a plain file of that name holds the text, in its first 64 KiB. */
bool directory_says(int directory, const char *name, const char *text);

/* Replaces what has that name by a plain file. */
bool directory_write(int directory, const char *name, const char *text, mode_t mode);

#endif
