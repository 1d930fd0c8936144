/* SPDX-License-Identifier: GPL-2.0 */
/* The zones of the module: one for each NUMA node, or one for all. See nodes.c. */
#ifndef MYALLOC_MOD_NODES_H
#define MYALLOC_MOD_NODES_H

struct myalloc_nodes;
struct myalloc_params;

struct myalloc_nodes *myalloc_nodes_begin(const struct myalloc_params *params);
void myalloc_nodes_end(void);

#endif /* MYALLOC_MOD_NODES_H */
