/* SPDX-License-Identifier: GPL-2.0 */
/* The debugfs files by subject, for debugfs.c. */
#ifndef MYALLOC_DEBUGFS_FILES_H
#define MYALLOC_DEBUGFS_FILES_H

struct dentry;
struct myalloc_zone;

/* blocks.c */
void myalloc_debugfs_blocks(struct dentry *root, struct myalloc_zone *zone);

/* clients.c */
void myalloc_debugfs_clients(struct dentry *root, struct myalloc_zone *zone);

/* fronts.c */
void myalloc_debugfs_fronts(struct dentry *root, struct myalloc_zone *zone);

/* owners.c */
void myalloc_debugfs_owners(struct dentry *root, struct myalloc_zone *zone);

#endif /* MYALLOC_DEBUGFS_FILES_H */
