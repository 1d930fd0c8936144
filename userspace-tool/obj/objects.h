/* SPDX-License-Identifier: GPL-2.0 */
/*
 * objects: what the files of obj define for the table in main.c
 */
#ifndef MYALLOCCTL_OBJECTS_H
#define MYALLOCCTL_OBJECTS_H

#include "cmd/cmd.h"

extern const struct object info_object, stat_object, page_object, cache_object,
	drain_object, validate_object, stress_object, bench_object, result_object,
	doctor_object;

#endif /* MYALLOCCTL_OBJECTS_H */
