/* SPDX-License-Identifier: GPL-2.0 */
/*
 * prom: the statistics in Prometheus' text format, for the textfile collector of node_exporter
 */
#ifndef MYALLOCCTL_PROM_H
#define MYALLOCCTL_PROM_H

#include <stdbool.h>

#include "obj/device.h"

/* Do the options select the format, by -o prom or a file NAME.prom? */
bool prom_wanted(void);
/*
 * Formats the statistics of every zone, cache and front as *@text, to be freed. Returns an exit
 * code, and prints a message if it is not EXIT_OK.
 */
int prom_read(struct device *d, char **text);

#endif /* MYALLOCCTL_PROM_H */
