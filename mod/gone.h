/* SPDX-License-Identifier: GPL-2.0 */
/* Names of code in unloaded modules. See gone.c. */
#ifndef MYALLOC_GONE_H
#define MYALLOC_GONE_H

int myalloc_gone_init(void);
void myalloc_gone_exit(void);
bool myalloc_gone_init_of(unsigned long ip, const char *name);

#endif /* MYALLOC_GONE_H */
