/* USER of a session, from the image's own /etc/passwd and /etc/group: untrusted files. */
#ifndef AGENT_USER_H
#define AGENT_USER_H

#include <sys/types.h>

#define USER_GROUPS_MAX 256

struct user {
  uid_t uid;
  gid_t gid;
  gid_t groups[USER_GROUPS_MAX]; /* supplementary */
  size_t group_count;
  char home[512];
};

/*
 * `name`, `uid`, `name:group` or `uid:gid`; NULL is root. As for containers, a name wins over a
 * number, an unknown number is taken as it is, and a named group leaves out the others.
 * Returns 0 or an errno. Call it in a child: it reads files of the image.
 */
int user_find(const char *spec, struct user *user);

/* Returns 0 or an errno. */
int user_become(const struct user *user);

#endif
