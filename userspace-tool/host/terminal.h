/* SPDX-License-Identifier: GPL-2.0 */
/*
 * terminal: size and abilities of the terminal
 */
#ifndef MYALLOCCTL_TERMINAL_H
#define MYALLOCCTL_TERMINAL_H

#include <stdbool.h>

/* $COLUMNS, else the width of the terminal on stdout, else 80. */
int terminal_columns(void);
/* Is stdout a terminal that shows colours, and does the user want them ($NO_COLOR)? */
bool terminal_color(void);
/* Does the locale say that text is UTF-8? */
bool terminal_utf8(void);

#endif /* MYALLOCCTL_TERMINAL_H */
