/* The guest's writable disks: found, mounted, and left clean at the end. */
#ifndef AGENT_DISKS_H
#define AGENT_DISKS_H

/* Block devices appear some time after their driver; failing ends the agent. */
void disks_await(const char *device);

/* An ext4 disk at a path of the initramfs. */
void disks_mount(const char *device, const char *path);

/* An ext4 disk at /persist below `root`. */
void disks_mount_persist(const char *device, int root);

/* Undoes that, when nothing runs any more that could use it. */
void disks_unmount_persist(void);

/* When nothing runs any more. */
void disks_close(void);

#endif
