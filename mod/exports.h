/* SPDX-License-Identifier: GPL-2.0 */
/* Symbols exported to other modules. */
#ifndef MYALLOC_EXPORTS_H
#define MYALLOC_EXPORTS_H

#include "myalloc_client.h"

void myalloc_exports_init(struct myalloc_nodes *nodes);
void myalloc_exports_exit(void);

#endif /* MYALLOC_EXPORTS_H */
