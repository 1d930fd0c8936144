/* SPDX-License-Identifier: GPL-2.0 */
/* Files for inspection in debugfs. */
#ifndef MYALLOC_DEBUGFS_H
#define MYALLOC_DEBUGFS_H

struct myalloc_nodes;
struct myalloc_zone_ops;

extern const struct myalloc_zone_ops myalloc_debugfs_zone_ops;

void myalloc_debugfs_init(struct myalloc_nodes *nodes);
void myalloc_debugfs_exit(void);

#endif /* MYALLOC_DEBUGFS_H */
