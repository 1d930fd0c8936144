/* SPDX-License-Identifier: GPL-2.0 */
/*
 * prom: the statistics in Prometheus' text format, for the textfile collector of node_exporter
 */
#ifndef MYALLOCCTL_PROM_H
#define MYALLOCCTL_PROM_H

#include <stdbool.h>

#include "obj/device.h"

/* Whether the options ask for it: -o prom, or a file called NAME.prom. */
bool prom_wanted(void);
/*
 * Of every zone, cache and front, as *@text, to be freed. Returns an exit code, and
 * prints a message if it is not EXIT_OK.
 */
int prom_read(struct device *d, char **text);

#endif /* MYALLOCCTL_PROM_H */
